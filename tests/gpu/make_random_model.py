#!/usr/bin/env python3
"""Writes a model folder of published sizes with random weights.

usage: make_random_model.py DEMO_MODEL OUT [sd15|sdxl]

Stable Diffusion 1.5 (about 2 GB) or XL (about 7 GB). Needs Python's standard
library alone. Configs are the demo model's with other sizes, tokenizer and
scheduler its own. Weights are f16: gains 1, biases 0, and matrices of one
exponent, with random signs and mantissas, near 1 / sqrt(inputs), so that
activations stay in range.
"""
import json
import math
import os
import pathlib
import random
import shutil
import sys

TIME = 4 * 320

# Per UNet: channels, where transformers are and how deep, width of the text,
# latents a side, inputs of the added embedding.
UNETS = {
    "sd15": dict(channels=[320, 640, 1280, 1280], attends=[1, 1, 1, 0],
                 depth=[1, 1, 1, 1], context=768, side=64, added=0),
    "sdxl": dict(channels=[320, 640, 1280], attends=[0, 1, 1],
                 depth=[1, 2, 10], context=2048, side=128, added=2816),
}
# Per text encoder: width, layers, heads, activation, width of the pooled text.
TEXTS = {
    "first": (768, 12, 12, "quick_gelu", 0),
    "second": (1280, 32, 20, "gelu", 1280),
}


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

    def transformer(self, name, c, depth, context, linear):
        self.norm(name + ".norm", c)
        for part in ("proj_in", "proj_out"):
            if linear:
                self.linear(f"{name}.{part}", c, c)
            else:
                self.conv(f"{name}.{part}", c, c, 1)
        for layer in range(depth):
            block = f"{name}.transformer_blocks.{layer}"
            for attention, width in (("attn1", c), ("attn2", context)):
                self.linear(f"{block}.{attention}.to_q", c, c, False)
                self.linear(f"{block}.{attention}.to_k", width, c, False)
                self.linear(f"{block}.{attention}.to_v", width, c, False)
                self.linear(f"{block}.{attention}.to_out.0", c, c)
            for norm in ("norm1", "norm2", "norm3"):
                self.norm(f"{block}.{norm}", c)
            self.linear(block + ".ff.net.0.proj", c, 8 * c)
            self.linear(block + ".ff.net.2", 4 * c, c)


def unet(kind):
    t = Tensors()
    u = UNETS[kind]
    channels, xl = u["channels"], kind == "sdxl"
    last = len(channels) - 1

    def transformer(name, block):
        t.transformer(name, channels[block], u["depth"][block], u["context"],
                      xl)

    t.linear("time_embedding.linear_1", 320, TIME)
    t.linear("time_embedding.linear_2", TIME, TIME)
    if u["added"]:
        t.linear("add_embedding.linear_1", u["added"], TIME)
        t.linear("add_embedding.linear_2", TIME, TIME)
    t.conv("conv_in", 4, 320)
    skips = [320]
    now = 320
    for block, outputs in enumerate(channels):
        for layer in range(2):
            t.resnet(f"down_blocks.{block}.resnets.{layer}", now, outputs, TIME)
            now = outputs
            if u["attends"][block]:
                transformer(f"down_blocks.{block}.attentions.{layer}", block)
            skips.append(now)
        if block < last:
            t.conv(f"down_blocks.{block}.downsamplers.0.conv", now, now)
            skips.append(now)
    t.resnet("mid_block.resnets.0", now, now, TIME)
    transformer("mid_block.attentions.0", last)
    t.resnet("mid_block.resnets.1", now, now, TIME)
    for block, outputs in enumerate(reversed(channels)):
        for layer in range(3):
            t.resnet(f"up_blocks.{block}.resnets.{layer}", now + skips.pop(),
                     outputs, TIME)
            now = outputs
            if u["attends"][last - block]:
                transformer(f"up_blocks.{block}.attentions.{layer}",
                            last - block)
        if block < last:
            t.conv(f"up_blocks.{block}.upsamplers.0.conv", now, now)
    t.norm("conv_norm_out", now)
    t.conv("conv_out", now, 4)
    down = ["CrossAttnDownBlock2D" if attends else "DownBlock2D"
            for attends in u["attends"]]
    up = ["CrossAttnUpBlock2D" if attends else "UpBlock2D"
          for attends in reversed(u["attends"])]
    config = {"block_out_channels": channels, "attention_head_dim": 8,
              "cross_attention_dim": u["context"], "sample_size": u["side"],
              "down_block_types": down, "up_block_types": up}
    if xl:
        config |= {"attention_head_dim": [5, 10, 20],
                   "transformer_layers_per_block": u["depth"],
                   "use_linear_projection": True,
                   "addition_embed_type": "text_time",
                   "addition_time_embed_dim": 256,
                   "projection_class_embeddings_input_dim": u["added"]}
    return t, config


def vae(kind):
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
    xl = kind == "sdxl"
    return t, {"block_out_channels": channels, "layers_per_block": 2,
               "norm_num_groups": 32, "sample_size": 1024 if xl else 512,
               "scaling_factor": 0.13025 if xl else 0.18215,
               "force_upcast": xl}


def text_encoder(which):
    t = Tensors()
    width, layers, heads, activation, pooled = TEXTS[which]
    t.weight("text_model.embeddings.token_embedding", 49408, width)
    t.weight("text_model.embeddings.position_embedding", 77, width)
    for layer in range(layers):
        name = f"text_model.encoder.layers.{layer}"
        t.norm(name + ".layer_norm1", width)
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            t.linear(f"{name}.self_attn.{part}", width, width)
        t.norm(name + ".layer_norm2", width)
        t.linear(name + ".mlp.fc1", width, 4 * width)
        t.linear(name + ".mlp.fc2", 4 * width, width)
    t.norm("text_model.final_layer_norm", width)
    config = {"hidden_size": width, "intermediate_size": 4 * width,
              "num_attention_heads": heads, "num_hidden_layers": layers,
              "hidden_act": activation, "projection_dim": pooled or width}
    if pooled:
        t.linear("text_projection", width, pooled, False)
        config["architectures"] = ["CLIPTextModelWithProjection"]
        config["eos_token_id"] = 2
    return t, config


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
    kind = sys.argv[3] if len(sys.argv) > 3 else "sd15"
    for folder in ("scheduler", "tokenizer"):
        shutil.copytree(demo / folder, out / folder, dirs_exist_ok=True)
    index = json.loads((demo / "model_index.json").read_text())
    parts = [("unet", "unet", "diffusion_pytorch_model", unet(kind)),
             ("vae", "vae", "diffusion_pytorch_model", vae(kind)),
             ("text_encoder", "text_encoder", "model", text_encoder("first"))]
    if kind == "sdxl":
        shutil.copytree(demo / "tokenizer", out / "tokenizer_2",
                        dirs_exist_ok=True)
        index["_class_name"] = "StableDiffusionXLPipeline"
        parts.append(("text_encoder_2", "text_encoder", "model",
                      text_encoder("second")))
    for folder, like, stem, (tensors, changes) in parts:
        os.makedirs(out / folder, exist_ok=True)
        config = json.loads((demo / like / "config.json").read_text())
        (out / folder / "config.json").write_text(
            json.dumps(config | changes, indent=2) + "\n")
        write(out / folder / f"{stem}.safetensors", tensors)
    # Comes last: a folder that has it is whole.
    (out / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")


if __name__ == "__main__":
    main()
