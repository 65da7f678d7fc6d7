"""Weights of the small nets of make_lora.py and make_xl.py."""
import numpy as np
import torch


def pristine(name, shape):
    """Weights that need not be stored: a hash of name and index."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 & 0xFFFFFFFF
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        x = np.uint32(seed) + np.arange(count, dtype=np.uint32) * np.uint32(
            0x9E3779B9)
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x7FEB352D)
        x ^= x >> np.uint32(15)
        x *= np.uint32(0x846CA68B)
        x ^= x >> np.uint32(16)
    v = (x >> np.uint32(8)).astype(np.float32) / np.float32(2**24)
    v = v - np.float32(0.5)
    if len(shape) >= 2:
        scale = 4.0
        while scale * scale * (count // shape[0]) > 16:
            scale /= 2
        v = v * np.float32(scale)
    elif name.endswith("weight"):
        v = np.float32(1) + v / np.float32(2)
    else:
        v = v / np.float32(4)
    return torch.from_numpy(v.reshape(shape))


def fill(net):
    net.load_state_dict({k: pristine(k, tuple(v.shape)) if v.is_floating_point()
                         else v for k, v in net.state_dict().items()})
    return net.eval().requires_grad_(False)
