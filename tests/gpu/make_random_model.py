#!/usr/bin/env python3
"""Writes a model folder of Stable Diffusion 1.5's sizes with random weights.

usage: make_random_model.py DEMO_MODEL OUT

Needs Python's standard library alone. Configs are the demo model's with other
sizes, tokenizer and scheduler its own. Weights are f16: gains 1, biases 0, and
matrices of one exponent, with random signs and mantissas, near 1 / sqrt(inputs),
so that activations stay in range. About 2 GB.
"""
import json
import math
import os
import pathlib
import random
import shutil
import sys

TIME = 4 * 320
CONTEXT = 768


class Tensors:
    """Names and shapes in the order of the file."""

    def __init__(self):
        self.shapes = {}

    def weight(self, name, *shape):
        self.shapes[name + ".weight"] = shape

    def bias(self, name, size):
        self.shapes[name + ".bias"] = (size,)

    def linear(self, name, inputs, outputs, bias=True):
        self.weight(name, outputs, inputs)
        if bias:
            self.bias(name, outputs)

    def conv(self, name, inputs, outputs, kernel=3):
        self.weight(name, outputs, inputs, kernel, kernel)
        self.bias(name, outputs)

    def norm(self, name, channels):
        self.weight(name, channels)
        self.bias(name, channels)

    def resnet(self, name, inputs, outputs, time):
        self.norm(name + ".norm1", inputs)
        self.conv(name + ".conv1", inputs, outputs)
        if time:
            self.linear(name + ".time_emb_proj", time, outputs)
        self.norm(name + ".norm2", outputs)
        self.conv(name + ".conv2", outputs, outputs)
        if inputs != outputs:
            self.conv(name + ".conv_shortcut", inputs, outputs, 1)

    def transformer(self, name, c):
        self.norm(name + ".norm", c)
        self.conv(name + ".proj_in", c, c, 1)
        block = name + ".transformer_blocks.0"
        for attention, context in (("attn1", c), ("attn2", CONTEXT)):
            self.linear(f"{block}.{attention}.to_q", c, c, False)
            self.linear(f"{block}.{attention}.to_k", context, c, False)
            self.linear(f"{block}.{attention}.to_v", context, c, False)
            self.linear(f"{block}.{attention}.to_out.0", c, c)
        for norm in ("norm1", "norm2", "norm3"):
            self.norm(f"{block}.{norm}", c)
        self.linear(block + ".ff.net.0.proj", c, 8 * c)
        self.linear(block + ".ff.net.2", 4 * c, c)
        self.conv(name + ".proj_out", c, c, 1)


def unet():
    t = Tensors()
    channels = [320, 640, 1280, 1280]
    t.linear("time_embedding.linear_1", 320, TIME)
    t.linear("time_embedding.linear_2", TIME, TIME)
    t.conv("conv_in", 4, 320)
    skips = [320]
    now = 320
    for block, outputs in enumerate(channels):
        for layer in range(2):
            t.resnet(f"down_blocks.{block}.resnets.{layer}", now, outputs, TIME)
            now = outputs
            if block < 3:
                t.transformer(f"down_blocks.{block}.attentions.{layer}", now)
            skips.append(now)
        if block < 3:
            t.conv(f"down_blocks.{block}.downsamplers.0.conv", now, now)
            skips.append(now)
    t.resnet("mid_block.resnets.0", now, now, TIME)
    t.transformer("mid_block.attentions.0", now)
    t.resnet("mid_block.resnets.1", now, now, TIME)
    for block, outputs in enumerate(reversed(channels)):
        for layer in range(3):
            t.resnet(f"up_blocks.{block}.resnets.{layer}", now + skips.pop(),
                     outputs, TIME)
            now = outputs
            if block > 0:
                t.transformer(f"up_blocks.{block}.attentions.{layer}", now)
        if block < 3:
            t.conv(f"up_blocks.{block}.upsamplers.0.conv", now, now)
    t.norm("conv_norm_out", now)
    t.conv("conv_out", now, 4)
    config = {"block_out_channels": channels, "attention_head_dim": 8,
              "cross_attention_dim": CONTEXT, "sample_size": 64,
              "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
              "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3}
    return t, config


def vae():
    t = Tensors()
    channels = [128, 256, 512, 512]
    t.conv("post_quant_conv", 4, 4, 1)
    t.conv("decoder.conv_in", 4, 512)
    t.resnet("decoder.mid_block.resnets.0", 512, 512, 0)
    attention = "decoder.mid_block.attentions.0"
    t.norm(attention + ".group_norm", 512)
    for part in ("to_q", "to_k", "to_v", "to_out.0"):
        t.linear(f"{attention}.{part}", 512, 512)
    t.resnet("decoder.mid_block.resnets.1", 512, 512, 0)
    now = 512
    for block, outputs in enumerate(reversed(channels)):
        for layer in range(3):
            t.resnet(f"decoder.up_blocks.{block}.resnets.{layer}", now, outputs, 0)
            now = outputs
        if block < 3:
            t.conv(f"decoder.up_blocks.{block}.upsamplers.0.conv", now, now)
    t.norm("decoder.conv_norm_out", now)
    t.conv("decoder.conv_out", now, 3)
    return t, {"block_out_channels": channels, "layers_per_block": 2,
               "norm_num_groups": 32, "sample_size": 512,
               "scaling_factor": 0.18215}


def text_encoder():
    t = Tensors()
    t.weight("text_model.embeddings.token_embedding", 49408, CONTEXT)
    t.weight("text_model.embeddings.position_embedding", 77, CONTEXT)
    for layer in range(12):
        name = f"text_model.encoder.layers.{layer}"
        t.norm(name + ".layer_norm1", CONTEXT)
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            t.linear(f"{name}.self_attn.{part}", CONTEXT, CONTEXT)
        t.norm(name + ".layer_norm2", CONTEXT)
        t.linear(name + ".mlp.fc1", CONTEXT, 4 * CONTEXT)
        t.linear(name + ".mlp.fc2", 4 * CONTEXT, CONTEXT)
    t.norm("text_model.final_layer_norm", CONTEXT)
    return t, {"hidden_size": CONTEXT, "intermediate_size": 4 * CONTEXT,
               "num_attention_heads": 12, "num_hidden_layers": 12,
               "projection_dim": CONTEXT}


def random_halves(exponent, count):
    """Halves +-2^exponent * [1, 2): one random block over and over."""
    block = min(count, 1 << 18)
    keep = int.from_bytes(b"\xff\x83" * block, "little")
    bits = ((exponent + 15) << 10).to_bytes(2, "little") * block
    noise = int.from_bytes(random.Random(count).randbytes(2 * block), "little")
    values = (noise & keep | int.from_bytes(bits, "little")).to_bytes(
        2 * block, "little")
    return (values * (count // block + 1))[:2 * count]


def data_of(name, shape):
    count = math.prod(shape)
    if len(shape) > 1:
        inputs = math.prod(shape[1:])
        # 1.5 * 2^e is the root mean square, nearly.
        return random_halves(round(math.log2(inputs ** -0.5 / 1.5)), count)
    return (b"\x00\x3c" if name.endswith("weight") else b"\x00\x00") * count


def write(path, tensors):
    header, offset = {}, 0
    for name, shape in tensors.shapes.items():
        size = 2 * math.prod(shape)
        header[name] = {"dtype": "F16", "shape": list(shape),
                        "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, shape in tensors.shapes.items():
            file.write(data_of(name, shape))


def main():
    demo, out = map(pathlib.Path, sys.argv[1:3])
    for folder in ("scheduler", "tokenizer"):
        shutil.copytree(demo / folder, out / folder, dirs_exist_ok=True)
    shutil.copy(demo / "model_index.json", out)
    for folder, stem, (tensors, changes) in (
            ("unet", "diffusion_pytorch_model", unet()),
            ("vae", "diffusion_pytorch_model", vae()),
            ("text_encoder", "model", text_encoder())):
        os.makedirs(out / folder, exist_ok=True)
        config = json.loads((demo / folder / "config.json").read_text())
        (out / folder / "config.json").write_text(
            json.dumps(config | changes, indent=2) + "\n")
        write(out / folder / f"{stem}.safetensors", tensors)


if __name__ == "__main__":
    main()
