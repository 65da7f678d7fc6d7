"""Noise of torch, and what diffusers' schedulers make of a synthetic UNet.

usage: make_sampler_values.py OUT.json

Schedulers run in f32 on a CPU, as diffusers' pipelines run them.
"""
import itertools
import json
import sys

import diffusers
import torch

SEEDS = [0, 1, 42, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**63, 2**64 - 1]
SIZES = [1, 2, 3, 7, 8, 15, 16, 17, 24, 31, 32, 33, 50]
STEPS = [1, 2, 20, 50, 1000]
SPACINGS = ["leading", "trailing", "linspace"]
# Numbers of steps at which a rounding of numpy's decides a timestep.
ODD_STEPS = [1, 2, 3, 7, 10, 20, 27, 31, 47, 48, 50, 61, 93, 96, 103, 1000]
BETAS = {
    "linear": dict(beta_schedule="linear", beta_start=0.0001, beta_end=0.02),
    "scaled_linear": dict(beta_schedule="scaled_linear", beta_start=0.00085,
                          beta_end=0.012),
    "squaredcos_cap_v2": dict(beta_schedule="squaredcos_cap_v2"),
}
CLASSES = {"ddim": diffusers.DDIMScheduler,
           "euler": diffusers.EulerDiscreteScheduler}


def short(values):
    """Returns f32 values with the nine digits that tell them apart."""
    numbers = torch.as_tensor(values).double().tolist()
    return [float(f"{number:.9g}") for number in numbers]


def randn(seed, *shape):
    generator = torch.Generator("cpu").manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float32)


def synthetic_unet(x, t):
    """Bends like a net, is defined by divisions alone, and does not blow up."""
    return x / (1 + x.abs()) + t / 4000 - 0.125


def scheduler(sampler, spacing="leading", betas="scaled_linear", **options):
    options.update(BETAS[betas])
    if sampler == "ddim":
        options["clip_sample"] = False
    else:
        options.pop("set_alpha_to_one", None)
    return CLASSES[sampler](timestep_spacing=spacing, **options)


def noise_cases():
    for seed, size in itertools.product(SEEDS, SIZES):
        yield {"seed": seed, "values": short(randn(seed, size))}


def large_noise():
    # A picture of 512 x 512 has latents of 16384 values.
    for seed, size in [(7, 16384), (7, 16389), (2**40 + 3, 9216)]:
        values = randn(seed, size)
        yield {"seed": seed, "size": size, "sum": values.double().sum().item(),
               "squares": values.double().square().sum().item(),
               "first": short(values[:4]), "last": short(values[-20:])}


def latents_cases():
    for seed, height, width in [(5, 2, 3), (2**64 - 1, 1, 1), (9, 3, 2)]:
        noise = randn(seed, 1, 4, height, width)
        yield {"seed": seed, "height": height, "width": width,
               "pixels": short(noise.permute(0, 2, 3, 1).reshape(-1))}


def alphas_cases():
    for betas, rescale in itertools.product(BETAS, [False, True]):
        made = scheduler("ddim", betas=betas, rescale_betas_zero_snr=rescale)
        indices = [0, 1, 2, 10, 100, 250, 499, 500, 501, 750, 998, 999]
        values = made.alphas_cumprod[indices]
        yield {"betas": betas, "rescale": rescale, "train": 1000,
               "indices": indices, "values": short(values)}
    for train in [2, 3, 50]:
        made = scheduler("ddim", num_train_timesteps=train)
        yield {"betas": "scaled_linear", "rescale": False, "train": train,
               "indices": list(range(train)),
               "values": short(made.alphas_cumprod)}


def timesteps_cases():
    for sampler, spacing, steps in itertools.product(CLASSES, SPACINGS,
                                                     ODD_STEPS):
        offset = 1 if spacing == "leading" and steps % 2 == 0 else 0
        if steps == 1000:
            offset = 0
        made = scheduler(sampler, spacing, steps_offset=offset)
        made.set_timesteps(steps)
        # Leaves out the step too many, timestep -1, that numpy's arange gives
        # for some numbers of trailing steps.
        yield {"sampler": sampler, "spacing": spacing, "offset": offset,
               "steps": steps, "values": short(made.timesteps[:steps])}


def sigmas_cases():
    for spacing, betas, steps in itertools.product(SPACINGS, BETAS, [1, 2, 20]):
        made = scheduler("euler", spacing, betas, steps_offset=1)
        made.set_timesteps(steps)
        yield {"spacing": spacing, "betas": betas, "steps": steps,
               "init_noise_sigma": short([made.init_noise_sigma])[0],
               "values": short(made.sigmas)}


def trajectory(sampler, spacing, betas, prediction, offset, to_one, steps,
               rescale=False):
    made = scheduler(sampler, spacing, betas, prediction_type=prediction,
                     steps_offset=offset, set_alpha_to_one=to_one,
                     rescale_betas_zero_snr=rescale)
    made.set_timesteps(steps)
    assert len(made.timesteps) == steps
    x = randn(11, 4) * made.init_noise_sigma
    kept = {}
    for i, t in enumerate(made.timesteps):
        output = synthetic_unet(made.scale_model_input(x, t), t)
        x = made.step(output, t, x).prev_sample
        if i in (0, steps // 3, 2 * steps // 3, steps - 1):
            kept[i] = short(x)
    return {"sampler": sampler, "spacing": spacing, "betas": betas,
            "prediction": prediction, "offset": offset, "to_one": to_one,
            "rescale": rescale, "steps": steps,
            "init_noise_sigma": short([made.init_noise_sigma])[0],
            "after": list(kept), "latents": list(kept.values())}


def trajectories():
    for case in itertools.product(CLASSES, SPACINGS, list(BETAS)[:2],
                                  ["epsilon", "v_prediction"], [0, 1],
                                  [False, True], STEPS):
        sampler, spacing, _, _, offset, to_one, steps = case
        if sampler == "euler" and to_one:
            continue  # an option of DDIM
        if spacing == "leading" and offset + steps > 1000:
            continue  # there is no training step 1000
        yield trajectory(*case)
    for sampler, steps in itertools.product(CLASSES, [1, 5, 20]):
        yield trajectory(sampler, "leading", "squaredcos_cap_v2", "epsilon", 1,
                         True, steps)
        yield trajectory(sampler, "trailing", "scaled_linear", "v_prediction",
                         0, True, steps, rescale=True)


def main():
    tables = {"noise": noise_cases, "large_noise": large_noise,
              "latents": latents_cases, "alphas": alphas_cases,
              "timesteps": timesteps_cases, "sigmas": sigmas_cases,
              "trajectories": trajectories}
    with open(sys.argv[1], "w", encoding="ascii") as file:
        file.write('{"torch":"%s","diffusers":"%s"'
                   % (torch.__version__, diffusers.__version__))
        for name, cases in tables.items():
            lines = [json.dumps(case, separators=(",", ":"))
                     for case in cases()]
            file.write(',\n"%s":[\n%s\n]' % (name, ",\n".join(lines)))
            print(name, len(lines))
        file.write("}\n")


if __name__ == "__main__":
    main()
