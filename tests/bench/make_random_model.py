#!/usr/bin/env python3
"""Writes a model folder with Stable Diffusion 1.5's UNet and text encoder and
random weights, and LoRAs for it, for benchmarks that need real sizes.

usage: make_random_model.py OUT TOKENIZER_FOLDER [--loras 8] [--rank 16]

OUT/model is a diffusers folder (about 2 GB of f16) with a small VAE;
OUT/lora-K.safetensors are PEFT files as diffusers' save_lora_weights writes
them, on attention, feed-forward and projections, about 25 MB each at rank 16.
Needs torch, diffusers, transformers and peft (written with 2.15, 0.42.1, 5.24
and 0.21.2).
"""
import argparse
import pathlib
import shutil

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline
from diffusers import UNet2DConditionModel
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2",
           "proj_in", "proj_out"]


def unet():
    return UNet2DConditionModel(
        sample_size=64, cross_attention_dim=768, attention_head_dim=8,
        block_out_channels=(320, 640, 1280, 1280))


def text_encoder():
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=49408, hidden_size=768, intermediate_size=3072,
        num_hidden_layers=12, num_attention_heads=12, hidden_act="quick_gelu",
        projection_dim=768, bos_token_id=49406, eos_token_id=49407,
        pad_token_id=49407))


def vae():
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 16, 16, 16), norm_num_groups=8,
        layers_per_block=1, latent_channels=4, sample_size=512)


def write_model(out, tokenizer):
    pipeline = StableDiffusionPipeline(
        vae=vae(), text_encoder=text_encoder(),
        tokenizer=CLIPTokenizer.from_pretrained(tokenizer), unet=unet(),
        scheduler=DDIMScheduler(
            beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012,
            clip_sample=False, set_alpha_to_one=False, steps_offset=1),
        safety_checker=None, feature_extractor=None,
        requires_safety_checker=False)
    pipeline.to(torch.float16).save_pretrained(out)
    shutil.copytree(tokenizer, out / "tokenizer", dirs_exist_ok=True)


def write_lora(model, path, rank, seed):
    torch.manual_seed(seed)
    net = UNet2DConditionModel.from_pretrained(model / "unet",
                                               torch_dtype=torch.float16)
    net.add_adapter(LoraConfig(r=rank, lora_alpha=rank,
                               init_lora_weights="gaussian",
                               target_modules=TARGETS))
    for name, weight in net.named_parameters():
        if ".lora_B." in name:
            torch.nn.init.normal_(weight, std=0.01)
    StableDiffusionPipeline.save_lora_weights(
        path.parent, weight_name=path.name,
        unet_lora_layers=convert_state_dict_to_diffusers(
            get_peft_model_state_dict(net)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("tokenizer", type=pathlib.Path)
    parser.add_argument("--loras", type=int, default=8)
    parser.add_argument("--rank", type=int, default=16)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    write_model(arguments.out / "model", arguments.tokenizer)
    for k in range(arguments.loras):
        write_lora(arguments.out / "model",
                   arguments.out / f"lora-{k}.safetensors", arguments.rank, k)


if __name__ == "__main__":
    main()
