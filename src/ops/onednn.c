#include "ops/onednn.h"

#ifdef TASKVEC_ONEDNN

#include <assert.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <oneapi/dnnl/dnnl.h>

/* ---- the library */

#define FUNCTIONS(X)                                                                               \
    X(version)                                                                                     \
    X(get_effective_cpu_isa)                                                                       \
    X(engine_create)                                                                               \
    X(engine_destroy)                                                                              \
    X(stream_create)                                                                               \
    X(stream_destroy)                                                                              \
    X(memory_desc_init_by_strides)                                                                 \
    X(memory_desc_init_by_tag)                                                                     \
    X(memory_desc_get_size)                                                                        \
    X(memory_create)                                                                               \
    X(memory_destroy)                                                                              \
    X(memory_set_data_handle)                                                                      \
    X(matmul_desc_init)                                                                            \
    X(primitive_attr_create)                                                                       \
    X(primitive_attr_destroy)                                                                      \
    X(primitive_attr_set_post_ops)                                                                 \
    X(post_ops_create)                                                                             \
    X(post_ops_destroy)                                                                            \
    X(post_ops_append_sum)                                                                         \
    X(primitive_desc_create)                                                                       \
    X(primitive_desc_destroy)                                                                      \
    X(primitive_desc_query_md)                                                                     \
    X(reorder_primitive_desc_create)                                                               \
    X(primitive_create)                                                                            \
    X(primitive_destroy)                                                                           \
    X(primitive_execute)                                                                           \
    X(sgemm)

struct onednn {
#define X(name) __typeof__(dnnl_##name) *name;
    FUNCTIONS(X)
#undef X
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    char kernel[96];
};

#define QUOTED(x) #x
#define LIBRARY_OF(major) "libdnnl.so." QUOTED(major)
#define LIBRARY LIBRARY_OF(DNNL_VERSION_MAJOR)

static enum err_code load_function(void *out, void *library, const char *name, struct err *err) {
    void *function = dlsym(library, name);
    if (!function) return ERR(err, ERR_CONFIG, "%s lacks %s: another oneDNN", LIBRARY, name);
    memcpy(out, &function, sizeof function);
    return ERR_OK;
}

static enum err_code load_functions(struct onednn *o, void *library, struct err *err) {
    enum err_code rc = ERR_OK;
#define X(name) TRY(load_function(&o->name, library, "dnnl_" #name, err));
    FUNCTIONS(X)
#undef X
cleanup:
    return rc;
}

/* Builds with OpenMP take the number of threads of the calling thread; others have no such function
 * and get it from the environment. */
static void fix_threads(void *library) {
    void (*set_threads)(int);
    void *function = dlsym(library, "omp_set_num_threads");
    if (!function) return;
    memcpy(&set_threads, &function, sizeof function);
    set_threads(1);
}

static const char *isa_name(int isa) {
    static const struct {
        dnnl_cpu_isa_t isa;
        const char *name;
    } NAMES[] = {
        {dnnl_cpu_isa_sse41, "sse41"},
        {dnnl_cpu_isa_avx, "avx"},
        {dnnl_cpu_isa_avx2, "avx2"},
        {dnnl_cpu_isa_avx2_vnni, "avx2_vnni"},
        {dnnl_cpu_isa_avx512_core, "avx512_core"},
        {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
        {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
        {dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"},
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if ((int)NAMES[i].isa == isa) return NAMES[i].name;
    return "unknown";
}

enum err_code onednn_open(struct onednn **out, struct err *err) {
    enum err_code rc = ERR_OK;
    struct onednn *o = calloc(1, sizeof *o);
    CHECK(o, ERR_MEMORY, "no memory for oneDNN");
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    CHECK(library, ERR_CONFIG, "oneDNN cannot be loaded (%.160s): install it (Debian: libdnnl2)",
          dlerror());
    TRY(load_functions(o, library, err));
    fix_threads(library);
    CHECK(o->engine_create(&o->engine, dnnl_cpu, 0) == dnnl_success &&
              o->stream_create(&o->stream, o->engine, dnnl_stream_default_flags) == dnnl_success,
          ERR_MEMORY, "no memory for oneDNN");
    const dnnl_version_t *v = o->version();
    (void)snprintf(o->kernel, sizeof o->kernel, "oneDNN %d.%d.%d, %s", v->major, v->minor, v->patch,
                   isa_name((int)o->get_effective_cpu_isa()));
    *out = o;
    o = NULL;
cleanup:
    onednn_close(o);
    return rc;
}

void onednn_close(struct onednn *o) {
    if (!o) return;
    if (o->stream) (void)o->stream_destroy(o->stream);
    if (o->engine) (void)o->engine_destroy(o->engine);
    free(o);
}

const char *onednn_kernel(const struct onednn *o) { return o->kernel; }

bool onednn_has_tiles(const struct onednn *o) { return strstr(o->kernel, "_amx") != NULL; }

bool onednn_has_bfloat(const struct onednn *o) {
    return onednn_has_tiles(o) || strstr(o->kernel, "_bf16") != NULL;
}

void onednn_gemm(const struct onednn *o, float *restrict C, const float *restrict A,
                 const float *restrict B, enum blas_op op_a, enum blas_op op_b, float beta,
                 size_t M, size_t N, size_t K, size_t lda, size_t ldb, size_t ldc) {
    if (M == 0 || N == 0) return;
    const dnnl_status_t status = o->sgemm(
        op_a == BLAS_T ? 'T' : 'N', op_b == BLAS_T ? 'T' : 'N', (dnnl_dim_t)M, (dnnl_dim_t)N,
        (dnnl_dim_t)K, 1.0F, A, (dnnl_dim_t)lda, B, (dnnl_dim_t)ldb, beta, C, (dnnl_dim_t)ldc);
    assert(status == dnnl_success), (void)status;
}

/* ---- products of bfloat16 */

struct onednn_product {
    const struct onednn *o;
    dnnl_primitive_t primitive;
    dnnl_memory_desc_t b;
    dnnl_memory_t A, B, C; /* their addresses are set by every product */
};

static dnnl_memory_desc_t matrix(const struct onednn *o, size_t rows, size_t columns,
                                 dnnl_data_type_t type, size_t row_step, size_t column_step) {
    dnnl_memory_desc_t m;
    const dnnl_dims_t sizes = {(dnnl_dim_t)rows, (dnnl_dim_t)columns};
    const dnnl_dims_t steps = {(dnnl_dim_t)row_step, (dnnl_dim_t)column_step};
    const dnnl_status_t status = o->memory_desc_init_by_strides(&m, 2, sizes, type, steps);
    assert(status == dnnl_success), (void)status;
    return m;
}

static dnnl_memory_desc_t right_factor(const struct onednn *o, const struct onednn_shape *s,
                                       const struct onednn_product *like) {
    dnnl_memory_desc_t b = matrix(o, s->K, s->N, dnnl_bf16, s->N, 1);
    const dnnl_dims_t sizes = {(dnnl_dim_t)s->K, (dnnl_dim_t)s->N};
    if (like) return like->b;
    if (s->packed) (void)o->memory_desc_init_by_tag(&b, 2, sizes, dnnl_bf16, dnnl_format_tag_any);
    return b;
}

/* The attribute of a product that is added to C. */
static bool adding(dnnl_primitive_attr_t *out, const struct onednn *o) {
    dnnl_post_ops_t sum = NULL;
    *out = NULL;
    const bool made = o->primitive_attr_create(out) == dnnl_success &&
                      o->post_ops_create(&sum) == dnnl_success &&
                      o->post_ops_append_sum(sum, 1.0F) == dnnl_success &&
                      o->primitive_attr_set_post_ops(*out, sum) == dnnl_success;
    if (sum) (void)o->post_ops_destroy(sum);
    return made;
}

/* a, c: of its other matrices. */
static bool create_primitive(struct onednn_product *p, const dnnl_memory_desc_t *a,
                             const dnnl_memory_desc_t *b, const dnnl_memory_desc_t *c) {
    const struct onednn *o = p->o;
    dnnl_matmul_desc_t product;
    dnnl_primitive_attr_t attribute;
    dnnl_primitive_desc_t chosen = NULL;
    const bool made =
        adding(&attribute, o) && o->matmul_desc_init(&product, a, b, NULL, c) == dnnl_success &&
        o->primitive_desc_create(&chosen, &product, attribute, o->engine, NULL) == dnnl_success &&
        o->primitive_create(&p->primitive, chosen) == dnnl_success;
    if (made) p->b = *o->primitive_desc_query_md(chosen, dnnl_query_weights_md, 0);
    if (chosen) (void)o->primitive_desc_destroy(chosen);
    if (attribute) (void)o->primitive_attr_destroy(attribute);
    return made && o->memory_create(&p->A, a, o->engine, DNNL_MEMORY_NONE) == dnnl_success &&
           o->memory_create(&p->B, &p->b, o->engine, DNNL_MEMORY_NONE) == dnnl_success &&
           o->memory_create(&p->C, c, o->engine, DNNL_MEMORY_NONE) == dnnl_success;
}

enum err_code onednn_product_create(struct onednn_product **out, const struct onednn *o,
                                    const struct onednn_shape *s, const struct onednn_product *like,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    struct onednn_product *p = calloc(1, sizeof *p);
    CHECK(p, ERR_MEMORY, "no memory for a product");
    p->o = o;
    const dnnl_memory_desc_t a =
        matrix(o, s->M, s->K, dnnl_bf16, s->turned ? 1 : s->K, s->turned ? s->M : 1);
    const dnnl_memory_desc_t c = matrix(o, s->M, s->N, dnnl_f32, s->ldc, 1);
    const dnnl_memory_desc_t b = right_factor(o, s, like);
    CHECK(create_primitive(p, &a, &b, &c), ERR_CONFIG,
          "%s has no product [%zu,%zu] x [%zu,%zu] of bfloat16: use arithmetic = \"f32\"",
          o->kernel, s->M, s->K, s->K, s->N);
    *out = p;
    p = NULL;
cleanup:
    onednn_product_destroy(p);
    return rc;
}

void onednn_product_destroy(struct onednn_product *p) {
    if (!p) return;
    if (p->C) (void)p->o->memory_destroy(p->C);
    if (p->B) (void)p->o->memory_destroy(p->B);
    if (p->A) (void)p->o->memory_destroy(p->A);
    if (p->primitive) (void)p->o->primitive_destroy(p->primitive);
    free(p);
}

size_t onednn_product_bytes(const struct onednn_product *p) {
    return p->o->memory_desc_get_size(&p->b);
}

enum err_code onednn_product_pack(void *to, const struct onednn_product *p, const uint16_t *B,
                                  size_t row_step, size_t column_step, struct err *err) {
    const struct onednn *o = p->o;
    const dnnl_memory_desc_t plain =
        matrix(o, (size_t)p->b.dims[0], (size_t)p->b.dims[1], dnnl_bf16, row_step, column_step);
    dnnl_primitive_desc_t chosen = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_memory_t from = NULL;
    (void)o->memory_set_data_handle(p->B, to);
    bool done = o->reorder_primitive_desc_create(&chosen, &plain, o->engine, &p->b, o->engine,
                                                 NULL) == dnnl_success &&
                o->primitive_create(&reorder, chosen) == dnnl_success &&
                o->memory_create(&from, &plain, o->engine, DNNL_MEMORY_NONE) == dnnl_success &&
                o->memory_set_data_handle(from, (void *)(uintptr_t)B) == dnnl_success;
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, p->B}};
    done = done && o->primitive_execute(reorder, o->stream, 2, arguments) == dnnl_success;
    if (from) (void)o->memory_destroy(from);
    if (reorder) (void)o->primitive_destroy(reorder);
    if (chosen) (void)o->primitive_desc_destroy(chosen);
    return done ? ERR_OK : ERR(err, ERR_MEMORY, "%s cannot pack a matrix", o->kernel);
}

void onednn_product_add(float *C, const struct onednn_product *p, const uint16_t *A,
                        const void *B) {
    const struct onednn *o = p->o;
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, p->A}, {DNNL_ARG_WEIGHTS, p->B}, {DNNL_ARG_DST, p->C}};
    (void)o->memory_set_data_handle(p->A, (void *)(uintptr_t)A);
    (void)o->memory_set_data_handle(p->B, (void *)(uintptr_t)B);
    (void)o->memory_set_data_handle(p->C, C);
    const dnnl_status_t status = o->primitive_execute(p->primitive, o->stream, 3, arguments);
    assert(status == dnnl_success), (void)status;
}

#else

#include <stdlib.h>

/* Nothing below onednn_open() is reached: it makes no library. */

enum err_code onednn_open(struct onednn **out, struct err *err) {
    *out = NULL;
    return ERR(err, ERR_CONFIG,
               "this program was built without oneDNN: install it (Debian: libdnnl-dev) and "
               "configure again");
}

void onednn_close(struct onednn *o) { (void)o; }
const char *onednn_kernel(const struct onednn *o) { return (void)o, abort(), ""; }
bool onednn_has_bfloat(const struct onednn *o) { return (void)o, abort(), false; }
bool onednn_has_tiles(const struct onednn *o) { return (void)o, abort(), false; }

void onednn_gemm(const struct onednn *o, float *restrict C, const float *restrict A,
                 const float *restrict B, enum blas_op op_a, enum blas_op op_b, float beta,
                 size_t M, size_t N, size_t K, size_t lda, size_t ldb, size_t ldc) {
    (void)o, (void)C, (void)A, (void)B, (void)op_a, (void)op_b, (void)beta, (void)M, (void)N;
    (void)K, (void)lda, (void)ldb, (void)ldc, abort();
}

enum err_code onednn_product_create(struct onednn_product **out, const struct onednn *o,
                                    const struct onednn_shape *shape,
                                    const struct onednn_product *like, struct err *err) {
    return (void)out, (void)o, (void)shape, (void)like, (void)err, abort(), ERR_BUG;
}

void onednn_product_destroy(struct onednn_product *p) { (void)p; }
size_t onednn_product_bytes(const struct onednn_product *p) { return (void)p, abort(), 0; }

enum err_code onednn_product_pack(void *to, const struct onednn_product *p, const uint16_t *B,
                                  size_t row_step, size_t column_step, struct err *err) {
    (void)to, (void)p, (void)B, (void)row_step, (void)column_step, (void)err;
    return abort(), ERR_BUG;
}

void onednn_product_add(float *C, const struct onednn_product *p, const uint16_t *A,
                        const void *B) {
    (void)C, (void)p, (void)A, (void)B, abort();
}

#endif
