# Spack recipe; see packaging/README.md.
import os

from spack.package import *

try:  # Spack 1.0 and later; before, spack.package has it
    from spack_repo.builtin.build_systems.cmake import CMakePackage
except ImportError:
    pass


class Taskvec(CMakePackage):
    """Learnable task vectors of in-context learners, with their controls and baselines: training,
    fits and tables, on one core or on many MPI ranks."""

    # The repository that holds this recipe.
    git = "file://" + os.path.realpath(os.path.join(os.path.dirname(__file__), "../../../.."))

    license("MIT")

    version("main", branch="main")

    variant("xgboost", default=False, description="the estimator xgboost")
    variant(
        "march",
        default="x86-64-v3",
        values=("x86-64", "x86-64-v3", "x86-64-v4", "native"),
        multi=False,
        description="-march of the program; recorded with every result",
    )

    depends_on("c", type="build")
    depends_on("cmake@3.20:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("hdf5~mpi")
    depends_on("openblas")
    depends_on("libconfig")
    depends_on("jansson")
    depends_on("nettle")
    depends_on("pcre2")
    depends_on("libunistring")
    depends_on("random123", type="build")
    depends_on("xgboost", when="+xgboost")

    def cmake_args(self):
        openblas = self.spec["openblas"]
        return [
            self.define("TASKVEC_TESTS", False),
            self.define("TASKVEC_ARCH", self.spec.variants["march"].value),
            self.define_from_variant("TASKVEC_XGBOOST", "xgboost"),
            self.define("HDF5_ROOT", self.spec["hdf5"].prefix),
            self.define("random123_INCLUDE", self.spec["random123"].prefix.include),
            # OpenBLAS is built with LAPACKE in it
            self.define("lapacke_INCLUDE", openblas.prefix.include),
            self.define("lapacke_LIBRARY", openblas.libs[0]),
        ]
