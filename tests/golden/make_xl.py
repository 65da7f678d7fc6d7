"""Golden pictures of a small Stable Diffusion XL model from the real diffusers.

usage: make_xl.py MODEL OUT

MODEL is deploy/local/models/emoji-sd, whose tokenizer is used; all nets have
random weights that hashed_weights.py and the test compute alike.
Everything runs on a CPU in f32. Under OUT:

  versions.json    what made these files
  model.json       config of every part, and names and shapes of its tensors
  cases.json       what each case asks for
  NAME.safetensors embeddings, pooled embeddings, negative ones, the first
                   noise prediction after guidance, final latents
  NAME.png         the picture
"""
import json
import os
import sys

import diffusers
import numpy as np
import torch
import transformers
from diffusers import (AutoencoderKL, EulerDiscreteScheduler,
                       StableDiffusionXLPipeline, UNet2DConditionModel)
from hashed_weights import fill
from PIL import Image
from safetensors.torch import save_file
from transformers import (CLIPTextConfig, CLIPTextModel,
                          CLIPTextModelWithProjection, CLIPTokenizer)

MODEL, OUT = sys.argv[1:3]

# The shape of Stable Diffusion XL in small: no attention at the outermost
# level, unlike depths, heads per level, two text encoders of unlike widths.
UNET = dict(sample_size=8, block_out_channels=[32, 64, 64], layers_per_block=1,
            down_block_types=["DownBlock2D", "CrossAttnDownBlock2D",
                              "CrossAttnDownBlock2D"],
            up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
                            "UpBlock2D"],
            transformer_layers_per_block=[1, 2, 3],
            attention_head_dim=[2, 4, 8], cross_attention_dim=80,
            use_linear_projection=True, norm_num_groups=8,
            addition_embed_type="text_time", addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=40 + 6 * 8)
VAE = dict(block_out_channels=[16, 16, 32, 32], layers_per_block=1,
           down_block_types=["DownEncoderBlock2D"] * 4,
           up_block_types=["UpDecoderBlock2D"] * 4, norm_num_groups=8,
           latent_channels=4, scaling_factor=0.13025, force_upcast=True)
TEXT = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=3,
            num_attention_heads=4, hidden_act="quick_gelu", projection_dim=32)
# As the published second encoder: eos_token_id 2 stands for the largest id.
TEXT_2 = dict(hidden_size=48, intermediate_size=96, num_hidden_layers=4,
              num_attention_heads=3, hidden_act="gelu", projection_dim=40,
              bos_token_id=0, eos_token_id=2, pad_token_id=1)
SCHEDULER = dict(beta_start=0.00085, beta_end=0.012,
                 beta_schedule="scaled_linear", timestep_spacing="leading",
                 steps_offset=1)

CASES = [
    dict(name="default-negative", prompt="a red apple", seed=3,
         num_inference_steps=4, guidance_scale=5.0, width=64, height=64),
    dict(name="negative", prompt="a happy penguin, flat icon",
         negative_prompt="blurry", seed=7, num_inference_steps=3,
         guidance_scale=4.0, width=96, height=64),
    dict(name="no-guidance", prompt="a rocket on the moon", seed=11,
         num_inference_steps=3, guidance_scale=1.0, width=64, height=128),
]


def described(net):
    config = {k: v for k, v in net.config.to_dict().items()} if hasattr(
        net.config, "to_dict") else dict(net.config)
    config = {k: v for k, v in config.items()
              if v is not None and not k.startswith("_") and k != "dtype"}
    config["_class_name"] = type(net).__name__
    config["architectures"] = [type(net).__name__]
    tensors = {k: list(v.shape) for k, v in net.state_dict().items()
               if v.is_floating_point()}
    return {"config": config, "tensors": tensors}


def write_json(path, value):
    with open(os.path.join(OUT, path), "w") as file:
        json.dump(value, file, indent=0, sort_keys=True)
        file.write("\n")


def make_pipeline():
    tokenizer = CLIPTokenizer.from_pretrained(os.path.join(MODEL, "tokenizer"))
    second = CLIPTokenizer.from_pretrained(os.path.join(MODEL, "tokenizer"),
                                           pad_token="!")
    assert second.pad_token_id != tokenizer.pad_token_id
    shared = dict(vocab_size=len(tokenizer), max_position_embeddings=77)
    return StableDiffusionXLPipeline(
        vae=fill(AutoencoderKL(**VAE)),
        text_encoder=fill(CLIPTextModel(CLIPTextConfig(**shared, **TEXT))),
        text_encoder_2=fill(CLIPTextModelWithProjection(
            CLIPTextConfig(**shared, **TEXT_2))),
        tokenizer=tokenizer, tokenizer_2=second,
        unet=fill(UNet2DConditionModel(**UNET)),
        scheduler=EulerDiscreteScheduler(**SCHEDULER),
        force_zeros_for_empty_prompt=True, add_watermarker=False)


def run(pipe, case):
    """Runs the real pipeline and keeps what passes through its parts."""
    kept = {}
    calls = []
    hook = pipe.unet.register_forward_hook(
        lambda module, args, kwargs, output: calls.append(
            (kwargs, output[0].clone())), with_kwargs=True)
    height, width = case["height"], case["width"]
    noise = torch.randn((1, 4, height // 8, width // 8),
                        generator=torch.Generator("cpu").manual_seed(
                            case["seed"]))
    arguments = {k: case[k] for k in ("prompt", "num_inference_steps",
                                      "guidance_scale", "width", "height")}
    arguments["negative_prompt"] = case.get("negative_prompt")
    with torch.no_grad():
        latents = pipe(**arguments, latents=noise.clone(),
                       output_type="latent").images
        hook.remove()
        pixels = pipe.vae.decode(latents / pipe.vae.config.scaling_factor)[0]
    kwargs, first = calls[0]
    text = kwargs["encoder_hidden_states"]
    pooled = kwargs["added_cond_kwargs"]["text_embeds"]
    kept["time_ids"] = kwargs["added_cond_kwargs"]["time_ids"][-1]
    kept["embeddings"], kept["pooled"] = text[-1], pooled[-1]
    if case["guidance_scale"] > 1:
        kept["negative_embeddings"] = text[0]
        kept["negative_pooled"] = pooled[0]
        first = first[:1] + case["guidance_scale"] * (first[1:] - first[:1])
    kept["unet_step_000"] = first[0]
    kept["latents"] = latents[0]
    picture = (pixels[0] / 2 + 0.5).clamp(0, 1).mul(255).round().to(
        torch.uint8).permute(1, 2, 0)
    Image.fromarray(picture.numpy()).save(
        os.path.join(OUT, case["name"] + ".png"))
    assert all(torch.isfinite(v.float()).all() for v in kept.values())
    return kept


pipe = make_pipeline()
pipe.set_progress_bar_config(disable=True)
write_json("versions.json", {m.__name__: m.__version__ for m in (
    torch, diffusers, transformers, np)})
scheduler = {k: v for k, v in pipe.scheduler.config.items() if v is not None}
scheduler["_class_name"] = "EulerDiscreteScheduler"
write_json("model.json", {
    "scheduler": {"config": scheduler},
    **{part: described(getattr(pipe, part)) for part in (
        "text_encoder", "text_encoder_2", "unet", "vae")}})
write_json("cases.json", CASES)
for case in CASES:
    kept = run(pipe, case)
    print(case["name"], {k: (tuple(v.shape), float(v.float().std()))
                         for k, v in kept.items()})
    save_file({k: v.contiguous().clone() for k, v in kept.items()},
              os.path.join(OUT, case["name"] + ".safetensors"))
