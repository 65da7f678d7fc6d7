"""Golden LoRAs of every kind from the real diffusers, peft and lycoris-lora.

usage: make_lora.py MODEL OUT

MODEL is deploy/local/models/emoji-sd, whose tokenizer and text encoder are
used; the UNets have random weights that hashed_weights.py and the test compute
alike. Everything runs on a CPU in f32. Under OUT:

  versions.json                     what made these files
  sd1/unet.json, sdxl/layers.json   config, and names and shapes of all tensors
  sd1/NAME.safetensors, sdxl/…      LoRA files as the library names them
  */NAME.merged.safetensors         "net/layer.weight@scale": W' of some layers
  sd1/cases.json                    cases: LoRA files with scales
  sd1/outputs.safetensors           what the UNet predicts in each case
"""
import json
import os
import sys

import diffusers
import numpy as np
import peft
import safetensors
import torch
import transformers
from diffusers import (DDIMScheduler, StableDiffusionPipeline,
                       UNet2DConditionModel)
from hashed_weights import fill, pristine
from lycoris.modules.full import FullModule
from lycoris.modules.locon import LoConModule
from lycoris.modules.loha import LohaModule
from lycoris.modules.lokr import LokrModule
from lycoris.modules.norms import NormModule
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file

MODEL, OUT = sys.argv[1:3]
PROMPT = "a red apple"
SCALES = (0.5, 1.0, -1.0)
UNET = dict(sample_size=8, block_out_channels=[32, 64], layers_per_block=1,
            down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"],
            up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"],
            cross_attention_dim=128, attention_head_dim=4, norm_num_groups=8)
ATTN = "down_blocks.0.attentions.0.transformer_blocks.0."
CLIP = "text_model.encoder.layers.0."


def shapes(net):
    return {k: list(v.shape) for k, v in net.state_dict().items()
            if v.is_floating_point()}


def write_json(path, value):
    with open(os.path.join(OUT, path), "w") as file:
        json.dump(value, file, indent=0, sort_keys=True)
        file.write("\n")


def write(path, tensors, metadata=None):
    tensors = {k: v.detach().contiguous().clone() for k, v in tensors.items()}
    save_file(tensors, os.path.join(OUT, path), metadata)


class Sd1:
    """A pipeline with the random UNet, made anew for each LoRA."""

    def __init__(self):
        self.pipe = StableDiffusionPipeline.from_pretrained(
            MODEL, torch_dtype=torch.float32, safety_checker=None)
        self.pipe.register_modules(unet=fill(UNet2DConditionModel(**UNET)))
        self.pipe.scheduler = DDIMScheduler.from_config(
            self.pipe.scheduler.config)

    def output(self):
        """What the UNet predicts in the only step of a one-step job."""
        self.pipe.scheduler.set_timesteps(1)
        latents = pristine("latents", (1, 4, 8, 8)) * 8
        text, _ = self.pipe.encode_prompt(PROMPT, "cpu", 1, False)
        return self.pipe.unet(latents, self.pipe.scheduler.timesteps[0],
                              text).sample[0]


def net_of(nets, name):
    """Finds "unet/conv_in" among nets, whatever CLIP's wrapper is called."""
    net, layer = name.split("/")
    module = nets[net]
    if net != "unet" and not hasattr(module, "text_model"):
        layer = layer.removeprefix("text_model.")
    return module.get_submodule(layer)


PREFIX = {"unet": "lora_unet_", "text_encoder": "lora_te_"}
PREFIX_XL = {"unet": "lora_unet_", "text_encoder": "lora_te1_",
             "text_encoder_2": "lora_te2_"}


def lycoris_modules(nets, prefixes, layers, make, seed):
    """One module of LyCORIS a layer, its parameters drawn by the seed."""
    torch.manual_seed(seed)
    modules = {}
    for name in layers:
        net, layer = name.split("/")
        module = make(prefixes[net] + layer.replace(".", "_"),
                      net_of(nets, name))
        for key, parameter in module.named_parameters():
            if key == "dora_scale":
                parameter.data.mul_(1 + 0.2 * torch.randn(parameter.shape))
            else:
                parameter.data.copy_(0.25 * torch.randn(parameter.shape))
        modules[name] = module
    return modules


def state_of(modules):
    """What the library saves; a full difference only once it is applied."""
    state = {}
    for module in modules.values():
        if isinstance(module, FullModule):
            module.apply_to()
        own = (module.state_dict() if isinstance(module, NormModule)
               else module.custom_state_dict())
        for key, value in own.items():
            state[f"{module.lora_name}.{key}"] = value.float()
    return state


def merged_of(modules, scale):
    """W' as the modules' forward has it.

    Of LoHa and LoKr, get_merged_weight of lycoris-lora 4.1.3 multiplies by
    alpha / rank twice: get_weight does, and get_diff_weight does again. What
    trains and runs is forward, which does once.
    """
    merged = {}
    for name, module in modules.items():
        original, bias = module.org_module[0], None
        if isinstance(module, (LohaModule, LokrModule)):
            weight, difference = original.weight, module.get_weight(
                original.weight.shape)
            weight = (module.apply_weight_decompose(weight + difference, scale)
                      if module.wd else weight + scale * difference)
        else:
            weight, bias = module.get_merged_weight(scale,
                                                    original.weight.shape)
        merged[name + ".weight"] = weight
        if bias is not None:
            merged[name + ".bias"] = bias
    return merged


CONV, LINEAR = "unet/conv_in", "unet/" + ATTN + "attn2.to_k"
PROJ, TEXT = "unet/down_blocks.0.attentions.0.proj_in", (
    "text_encoder/" + CLIP + "self_attn.q_proj")
TIME = "unet/down_blocks.0.resnets.0.time_emb_proj"
NORM, GROUP = "unet/" + ATTN + "norm1", "unet/conv_norm_out"
LAYERS = [CONV, LINEAR, PROJ, TIME, TEXT]

# name, layers, how a module is made, and the scales of the merged weights.
# LyCORIS scales DoRA in another way than PEFT does: only 1 is the same.
KINDS = [
    ("locon", LAYERS, lambda n, m: LoConModule(n, m, 1.0, 4, 2), SCALES),
    ("tucker", [CONV, LINEAR, "unet/mid_block.resnets.0.conv1"],
     lambda n, m: LoConModule(n, m, 1.0, 3, 2, use_tucker=True), SCALES),
    ("loha", LAYERS, lambda n, m: LohaModule(n, m, 1.0, 3, 1.5), SCALES),
    ("loha-tucker", [CONV, LINEAR],
     lambda n, m: LohaModule(n, m, 1.0, 3, 2, use_tucker=True), SCALES),
    ("lokr", LAYERS, lambda n, m: LokrModule(n, m, 1.0, 2, 1, factor=4),
     SCALES),
    ("lokr-both", [CONV, LINEAR, TIME],
     lambda n, m: LokrModule(n, m, 1.0, 1, 2, factor=4, decompose_both=True),
     SCALES),
    ("lokr-tucker", [CONV, "unet/down_blocks.0.resnets.0.conv1"],
     lambda n, m: LokrModule(n, m, 1.0, 1, 2, factor=4, use_tucker=True),
     SCALES),
    ("lokr-full", LAYERS,
     lambda n, m: LokrModule(n, m, 1.0, 2, 1, factor=4, full_matrix=True),
     SCALES),
    ("full", [CONV, LINEAR, PROJ], lambda n, m: FullModule(n, m, 1.0), SCALES),
    ("norm", [NORM, GROUP], lambda n, m: NormModule(n, m, 1.0), SCALES),
    ("locon-dora", LAYERS,
     lambda n, m: LoConModule(n, m, 1.0, 4, 2, weight_decompose=True), (1.0,)),
    ("locon-dora-in", LAYERS,
     lambda n, m: LoConModule(n, m, 1.0, 4, 2, weight_decompose=True,
                              wd_on_out=False), (1.0,)),
    ("loha-dora", LAYERS,
     lambda n, m: LohaModule(n, m, 1.0, 3, 2, weight_decompose=True), (1.0,)),
    ("lokr-dora", LAYERS,
     lambda n, m: LokrModule(n, m, 1.0, 2, 1, factor=4, weight_decompose=True),
     (1.0,)),
]

cases, outputs = [], {}


def add_case(name, loras, output):
    cases.append({"name": name, "loras": [{"file": f, "scale": s}
                                          for f, s in loras]})
    outputs[name] = output


def make_lycoris():
    for seed, (name, layers, make, scales) in enumerate(KINDS):
        def fresh():
            model = Sd1()
            nets = {"unet": model.pipe.unet,
                    "text_encoder": model.pipe.text_encoder}
            return model, lycoris_modules(nets, PREFIX, layers, make, seed)

        stored = {}
        for scale in scales:
            model, modules = fresh()
            stored.update({f"{k}@{scale}": v
                           for k, v in merged_of(modules, scale).items()
                           if v.numel() <= 2048})
            for module in modules.values():
                module.multiplier = scale
                module.apply_to()
            add_case(f"{name}@{scale}", [(f"{name}.safetensors", scale)],
                     model.output())
        write(f"sd1/{name}.merged.safetensors", stored)
        write(f"sd1/{name}.safetensors", state_of(fresh()[1]))


TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2",
           "proj_in", "proj_out", "time_emb_proj", "linear_1", "linear_2"]
CONVOLUTIONS = ["conv_in", "conv_out", "conv1", "conv_shortcut",
                "downsamplers.0.conv", "upsamplers.0.conv"]


def peft_state(unet, **config):
    """The state dict of an adapter of PEFT with random weights."""
    unet.add_adapter(LoraConfig(init_lora_weights="gaussian", **config))
    for key, parameter in unet.named_parameters():
        if "lora_A" in key or "lora_B" in key:
            parameter.data.copy_(0.25 * torch.randn(parameter.shape))
        if "lora_magnitude_vector" in key:
            parameter.data.mul_(1 + 0.2 * torch.randn(parameter.shape))
    return get_peft_model_state_dict(unet)


def by_diffusers(files):
    """Loads files into a pipeline as a user would, with their scales."""
    model, names = Sd1(), []
    for index, (file, scale) in enumerate(files):
        # Without the config the loader leaves LDM's block names alone.
        options = {"unet_config": model.pipe.unet.config} if (
            "ldm" in file) else {}
        model.pipe.load_lora_weights(os.path.join(OUT, "sd1"),
                                     weight_name=file,
                                     adapter_name=f"a{index}", **options)
        names.append(f"a{index}")
    model.pipe.set_adapters(names, [scale for _, scale in files])
    return model


def add_diffusers_cases(file, scales):
    """Outputs by the adapter beside the weights, W' by fusing it."""
    stored = {}
    for scale in scales:
        add_case(f"{file.removesuffix('.safetensors')}@{scale}",
                 [(file, scale)], by_diffusers([(file, scale)]).output())
        fused = by_diffusers([(file, 1.0)])
        fused.pipe.fuse_lora(components=["unet"], lora_scale=scale)
        fused.pipe.unload_lora_weights()
        for name in (CONV, PROJ):
            layer = name.split("/")[1]
            stored[f"{name}.weight@{scale}"] = fused.pipe.unet.get_submodule(
                layer).weight
    write(f"sd1/{file.removesuffix('.safetensors')}.merged.safetensors", stored)


def ldm_name(key):
    """The key of kohya's trainer for LDM checkpoints; one resnet a block."""
    table = [("down_blocks_0_resnets_0", "input_blocks_1_0"),
             ("down_blocks_0_attentions_0", "input_blocks_1_1"),
             ("down_blocks_0_downsamplers_0_conv", "input_blocks_2_0_op"),
             ("down_blocks_1_resnets_0", "input_blocks_3_0"),
             ("mid_block_resnets_0", "middle_block_0"),
             ("mid_block_attentions_0", "middle_block_1"),
             ("mid_block_resnets_1", "middle_block_2"),
             ("up_blocks_0_resnets_0", "output_blocks_0_0"),
             ("up_blocks_0_resnets_1", "output_blocks_1_0"),
             ("up_blocks_1_resnets_0", "output_blocks_2_0"),
             ("up_blocks_1_attentions_0", "output_blocks_2_1"),
             ("up_blocks_1_resnets_1", "output_blocks_3_0"),
             ("up_blocks_1_attentions_1", "output_blocks_3_1"),
             ("time_emb_proj", "emb_layers_1"), ("_conv1", "_in_layers_2"),
             ("conv_shortcut", "skip_connection")]
    for diffusers_name, ldm in table:
        key = key.replace(diffusers_name, ldm)
    return key


def make_dialects():
    """One adapter in every dialect that the real loader reads."""
    attention = peft_state(Sd1().pipe.unet, r=2, lora_alpha=2,
                           target_modules=["to_q", "to_k", "to_v", "to_out.0"])
    dotted = {f"unet.{k}": v for k, v in attention.items()}
    down, up = ".lora_A.weight", ".lora_B.weight"
    new = {k.replace(down, ".lora.down.weight")
           .replace(up, ".lora.up.weight"): v for k, v in dotted.items()}
    old = {}
    for key, value in new.items():
        for part in ("to_q", "to_k", "to_v", "to_out"):
            key = key.replace(f".{part}.0.lora.", f".processor.{part}_lora.")
            key = key.replace(f".{part}.lora.", f".processor.{part}_lora.")
        old[key] = value
    kohya = {}
    for key, value in attention.items():
        layer = "lora_unet_" + key.split(".lora_")[0].replace(".", "_")
        kohya[layer + (".lora_down.weight" if down in key
                       else ".lora_up.weight")] = value
        kohya[layer + ".alpha"] = torch.tensor(2.0)
    ldm = {ldm_name(k): v for k, v in kohya.items()}
    files = {"peft": dotted, "diffusers": new, "diffusers-old": old,
             "kohya": kohya, "kohya-ldm": ldm}
    for name, state in files.items():
        write(f"sd1/dialect-{name}.safetensors", state)
        file = f"dialect-{name}.safetensors"
        add_case(f"dialect-{name}", [(file, 1.0)],
                 by_diffusers([(file, 1.0)]).output())


def make_peft():
    unet = Sd1().pipe.unet
    state = peft_state(unet, r=2, lora_alpha=4,
                       alpha_pattern={"attn1.to_q": 1}, rank_pattern={
                           "attn2.to_k": 3}, target_modules=TARGETS +
                       CONVOLUTIONS)
    StableDiffusionPipeline.save_lora_weights(
        os.path.join(OUT, "sd1"), unet_lora_layers=state,
        weight_name="peft-all.safetensors",
        unet_lora_adapter_metadata=unet.peft_config["default"].to_dict())
    add_diffusers_cases("peft-all.safetensors", SCALES)
    state = peft_state(Sd1().pipe.unet, r=3, lora_alpha=3, use_dora=True,
                       target_modules=["to_k", "proj_in", "conv_in",
                                       "time_emb_proj"])
    write("sd1/peft-dora.safetensors",
          {f"unet.{k}": v for k, v in state.items()})
    add_diffusers_cases("peft-dora.safetensors", SCALES)
    state = peft_state(Sd1().pipe.unet, r=3, lora_alpha=3,
                       target_modules=CONVOLUTIONS)
    write("sd1/peft-conv.safetensors",
          {f"unet.{k}": v for k, v in state.items()})
    one, two = ("peft-all.safetensors", 0.5), ("peft-conv.safetensors", -1.0)
    three = ("dialect-kohya-ldm.safetensors", 1.0)
    add_case("two", [one, two], by_diffusers([one, two]).output())
    add_case("three", [one, two, three],
             by_diffusers([one, two, three]).output())


def make_xl():
    """Layers as of XL: two text encoders, linear projections, deep blocks."""
    unet = fill(UNet2DConditionModel(
        sample_size=8, block_out_channels=[16, 32], layers_per_block=2,
        down_block_types=["DownBlock2D", "CrossAttnDownBlock2D"],
        up_block_types=["CrossAttnUpBlock2D", "UpBlock2D"],
        transformer_layers_per_block=[1, 2], use_linear_projection=True,
        cross_attention_dim=40, attention_head_dim=[2, 4], norm_num_groups=8,
        addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=72))
    config = dict(vocab_size=64, intermediate_size=32, num_hidden_layers=2,
                  num_attention_heads=2, max_position_embeddings=16,
                  projection_dim=24)
    first = fill(transformers.CLIPTextModel(
        transformers.CLIPTextConfig(hidden_size=16, **config)))
    second = fill(transformers.CLIPTextModelWithProjection(
        transformers.CLIPTextConfig(hidden_size=24, **config)))
    nets = {"unet": unet, "text_encoder": first, "text_encoder_2": second}
    write_json("sdxl/layers.json", {k: shapes(v) for k, v in nets.items()})
    attention = "unet/down_blocks.1.attentions.1.transformer_blocks.1."
    layers = ["unet/conv_in", "unet/add_embedding.linear_1",
              "unet/down_blocks.1.attentions.1.proj_in",
              attention + "attn2.to_k", attention + "attn1.to_out.0",
              "unet/up_blocks.0.attentions.2.proj_out",
              "text_encoder/" + CLIP + "self_attn.q_proj",
              "text_encoder_2/" + CLIP + "self_attn.q_proj",
              "text_encoder_2/text_projection"]
    kinds = [("locon", lambda n, m: LoConModule(n, m, 1.0, 4, 2)),
             ("loha", lambda n, m: LohaModule(n, m, 1.0, 2, 1)),
             ("lokr", lambda n, m: LokrModule(n, m, 1.0, 2, 1, factor=4))]
    for seed, (name, make) in enumerate(kinds):
        modules = lycoris_modules(nets, PREFIX_XL, layers, make, 100 + seed)
        write(f"sdxl/{name}.safetensors", state_of(modules))
        write(f"sdxl/{name}.merged.safetensors",
              {f"{k}@{s}": v for s in SCALES
               for k, v in merged_of(modules, s).items()})


def main():
    torch.set_grad_enabled(False)
    torch.set_num_threads(2)
    torch.manual_seed(5)
    for folder in ("sd1", "sdxl"):
        os.makedirs(os.path.join(OUT, folder), exist_ok=True)
    versions = {"diffusers": diffusers.__version__, "peft": peft.__version__,
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "safetensors": safetensors.__version__,
                "numpy": np.__version__}
    from importlib.metadata import version
    versions["lycoris-lora"] = version("lycoris-lora")
    write_json("versions.json", versions)
    unet = Sd1().pipe.unet
    write_json("sd1/unet.json", {"config": UNET, "tensors": shapes(unet)})
    add_case("none", [], Sd1().output())
    make_lycoris()
    make_dialects()
    make_peft()
    make_xl()
    write_json("sd1/cases.json", cases)
    write("sd1/outputs.safetensors", outputs)


main()
