"""torch_file.py - files of torch.save read without torch: a pickle reader that accepts a short list of harmless names and
refuses anything else. Used by import_checkpoint.py and to_safetensors.py."""

import collections
import io
import math
import pickle
import zipfile

import numpy as np

PICKLE_MOST = 64 << 20  # bytes; a state.pt with optimiser state has some hundred KB
STORAGES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "BFloat16Storage": "<u2",
            "LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "<i1",
            "ByteStorage": "<u1", "BoolStorage": "<u1"}
WRAPPERS = ("module.", "_orig_mod.")


class Refused(Exception):
    pass


# ---- a zip file of torch.save


class Storage:
    """Numbers of one type in the zip file; read on demand."""

    def __init__(self, file, kind, key, count):
        if kind not in STORAGES or not isinstance(key, str) or not isinstance(count, int):
            raise Refused("a storage that is none of torch's")
        self.file, self.kind, self.key, self.count = file, kind, key, count

    def stored(self):
        """As in the file; BF16 as its bits."""
        dtype = np.dtype(STORAGES[self.kind])
        return np.frombuffer(self.file.member(f"data/{self.key}", self.count * dtype.itemsize), dtype)

    def numbers(self):
        values = self.stored()
        if self.kind == "BFloat16Storage":
            values = (values.astype("<u4") << 16).view("<f4")
        return values


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        whole = [offset, *shape, *strides]
        if not isinstance(storage, Storage) or not all(isinstance(n, int) and n >= 0 for n in whole):
            raise Refused("a tensor that is none of torch's")
        if (len(shape) != len(strides) or math.prod(shape) > storage.count
                or offset + self.reach(shape, strides) > storage.count):
            raise Refused(f"a tensor of shape {list(shape)} beyond its {storage.count} numbers")
        self.storage, self.offset, self.shape, self.strides = storage, offset, tuple(shape), tuple(strides)

    @staticmethod
    def reach(shape, strides):
        return 1 + sum((n - 1) * s for n, s in zip(shape, strides)) if all(shape) else 0

    def laid_out(self, values):
        values = values[self.offset:]
        strides = [s * values.itemsize for s in self.strides]
        view = np.lib.stride_tricks.as_strided(values, self.shape, strides, writeable=False)
        return np.ascontiguousarray(view).reshape(self.shape)  # a scalar would become a vector

    def array(self):
        return self.laid_out(self.storage.numbers()).astype("<f4", copy=False)

    def stored(self):
        """In the type of the file; BF16 as its bits."""
        return self.laid_out(self.storage.stored())


def rebuild_tensor(storage, offset, shape, strides, *_):
    return Tensor(storage, offset, shape, strides)


def rebuild_parameter(tensor, *_):
    if not isinstance(tensor, Tensor):
        raise Refused("a parameter that is no tensor")
    return tensor


ALLOWED = {("collections", "OrderedDict"): collections.OrderedDict,
           ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
           ("torch._utils", "_rebuild_parameter"): rebuild_parameter,
           **{("torch", name): name for name in STORAGES}}


class Reader(pickle.Unpickler):
    def __init__(self, stream, file):
        super().__init__(stream)
        self.file = file

    def find_class(self, module, name):
        if (module, name) not in ALLOWED:
            raise Refused(f"its pickle asks for {module}.{name}, which weights do not need")
        return ALLOWED[module, name]

    def persistent_load(self, pid):
        if not isinstance(pid, tuple) or len(pid) != 5 or pid[0] != "storage":
            raise Refused("its pickle names something outside that is no storage")
        return Storage(self.file, pid[1], pid[2], pid[4])


class TorchFile:
    """The members of a zip file of torch.save, whatever its folder is called."""

    def __init__(self, path):
        try:
            self.zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile:
            raise Refused("not a zip file of torch.save: cut off, or of a torch before 1.6; there, "
                          "torch.save(torch.load(OLD, map_location='cpu'), NEW) with a newer torch") from None
        pickles = [n for n in self.zip.namelist() if n.count("/") == 1 and n.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise Refused("a zip file without a data.pkl: not of torch.save")
        self.folder = pickles[0].split("/")[0]
        if f"{self.folder}/byteorder" in self.zip.namelist() and self.member("byteorder", 6) != b"little":
            raise Refused("big-endian numbers: save it on a little-endian machine")

    def member(self, name, size=None):
        try:
            info = self.zip.getinfo(f"{self.folder}/{name}")
        except KeyError:
            raise Refused(f"no member {name}") from None
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise Refused(f"member {name} is packed, which torch.save does not do")
        if info.file_size != size if size is not None else info.file_size > PICKLE_MOST:
            raise Refused(f"member {name} has {info.file_size} bytes, expected {size or 'fewer'}")
        try:
            return self.zip.read(info)
        except (zipfile.BadZipFile, EOFError) as e:
            raise Refused(f"member {name} cannot be read ({e})") from None

    def content(self):
        try:
            return Reader(io.BytesIO(self.member("data.pkl")), self).load()
        except Refused:
            raise
        except Exception as e:  # a broken pickle may raise anything
            raise Refused(f"its pickle cannot be read ({type(e).__name__}: {e})") from None


# ---- what is in it


def tensors_of(content):
    """Name -> Tensor of a state_dict, which may be a member of a larger dict; a single tensor is called "weights"."""
    if isinstance(content, Tensor):
        return {"weights": content}
    for key in ("model_state_dict", "state_dict"):
        if isinstance(content, dict) and isinstance(content.get(key), (dict, Tensor)):
            return tensors_of(content[key])
    if not isinstance(content, dict):
        raise Refused(f"holds a {type(content).__name__}, expected the state_dict of a model or one tensor")
    return without_wrappers({k: v for k, v in content.items() if isinstance(k, str) and isinstance(v, Tensor)})


def without_wrappers(tensors):
    """Without the prefixes that DataParallel (module.) and torch.compile (_orig_mod.) put before every name."""
    for prefix in WRAPPERS:
        if tensors and all(name.startswith(prefix) for name in tensors):
            return without_wrappers({name[len(prefix):]: t for name, t in tensors.items()})
    return tensors
