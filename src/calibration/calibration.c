#include "calibration/calibration.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "calibration/calibration_cache.h"

/* What every job takes besides its load: to open the model, for its rows, intervals and artifact,
 * and its part of results.h5. Measured: 10 to 20 ms of processor time with 41 rows. */
static const double JOB = 0.01;

static const double BUSY = 0.5; /* running processes for each core */

double calibration_rate_at(const struct calibration_rate *r, double width) {
    const double near = 1.0 / CALIBRATION_NARROW, far = 1.0 / CALIBRATION_WIDE;
    const double slope = (r->narrow - r->wide) / (near - far);
    return fmax(r->wide + slope * (1.0 / width - far), r->wide / 2);
}

double calibration_contexts_seconds(const struct calibration *c, const struct job_load *load) {
    return load->contexts > 0.0 ? load->contexts * calibration_rate_at(&c->contexts, load->width)
                                : 0.0;
}

double calibration_seconds(const struct calibration *c, const struct job_load *load) {
    double seconds = JOB + calibration_contexts_seconds(c, load);
    if (load->queries > 0.0)
        seconds += load->queries * calibration_rate_at(&c->queries, load->width);
    if (load->training > 0.0)
        seconds += load->training * calibration_rate_at(&c->training, load->width);
    return seconds + load->read * c->read + load->estimates * c->estimates;
}

double calibration_load_now(void) {
    double load = 0.0;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return getloadavg(&load, 1) == 1 && cores > 0 ? load / (double)cores : 0.0;
}

bool calibration_is_of_busy_machine(const struct calibration *c) { return c->load > BUSY; }

bool calibration_is_current(const struct calibration *c, double now, double load) {
    static const double AGE_MOST = 7 * 86400.0, CLOCKS_DIFFER = 3600.0;
    const double age = now - c->measured;
    if (age > AGE_MOST || age < -CLOCKS_DIFFER) return false;
    return !calibration_is_of_busy_machine(c) || load > c->load / 2;
}

enum err_code calibration_load(struct calibration *out, struct err *err) {
    enum err_code rc = ERR_OK;
    if (calibration_cache_read(out) &&
        calibration_is_current(out, clock_wall(), calibration_load_now()))
        return ERR_OK;
    TRY(calibration_measure(out, err));
    calibration_cache_write(out);
cleanup:
    return rc;
}
