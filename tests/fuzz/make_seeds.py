"""Writes the seeds of the fuzz targets into corpus/, well formed and not.

    python3 tests/fuzz/make_seeds.py

Seeds have names that say what they are; the files named by a digest were found
by the fuzzers and are left alone.
"""
import json
import pathlib
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus"


def write(target, seeds):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds.items():
        content = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(content)


# Safetensors: 8 bytes of header length, the header, the data.

def raw_file(header, data=b""):
    header = header.encode()
    return struct.pack("<Q", len(header)) + header + data


def file_of(tensors, metadata=None):
    """`tensors`: name to (dtype, shape, bytes)."""
    header, data = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    return raw_file(json.dumps(header, separators=(",", ":")), data)


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def entry(dtype="F32", shape="[1]", offsets="[0,4]"):
    return (f'{{"t":{{"dtype":"{dtype}","shape":{shape},'
            f'"data_offsets":{offsets}}}}}')


ONE = floats(1.5)
SAFETENSORS = {
    "one_tensor": file_of({"weight": ("F32", [2, 2], floats(1, -2, 3.5, 0))}),
    "all_dtypes": file_of({
        "f16": ("F16", [3], b"\x00\x3c\x00\x7c\x01\x80"),
        "bf16": ("BF16", [1], b"\x80\x3f"),
        "i32": ("I32", [1, 1], b"\xff\xff\xff\xff"),
        "f32": ("F32", [], floats(float("nan")))}, {"format": "pt"}),
    "unaligned": raw_file(entry(offsets="[0,4]") + " ", ONE),
    "no_elements": file_of({"empty": ("F32", [3, 0], b""),
                            "one": ("F32", [1], ONE)}),
    "five_axes": file_of({"t": ("F32", [1, 1, 1, 1, 1], ONE)}),
    "escaped_name": file_of({'a"\\\n\u00fc\U0001f34e': ("F32", [1], ONE)}),
    "only_metadata": file_of({}, {"a": "", "b": "\u0000"}),
    "no_tensors": raw_file("{}"),
    "bad_empty": b"",
    "bad_short": b"\x02\x00\x00",
    "bad_length_huge": b"\xff" * 8 + b"{}",
    "bad_length_beyond": struct.pack("<Q", 3) + b"{}",
    "bad_six_axes": file_of({"t": ("F32", [1] * 6, ONE)}),
    "bad_dtype": raw_file(entry("F64"), ONE),
    "bad_shape_negative": raw_file(entry(shape="[-1]"), ONE),
    "bad_shape_float": raw_file(entry(shape="[1.0]"), ONE),
    "bad_shape_overflow": raw_file(entry(shape="[2147483647,2147483647,4]"),
                                   ONE),
    "bad_shape_wraps": raw_file(
        entry(shape="[65536,65536,65536,65536]", offsets="[0,0]")),
    "bad_offsets_beyond": raw_file(entry(shape="[2]", offsets="[0,8]"), ONE),
    "bad_offsets_order": raw_file(entry(offsets="[4,0]"), ONE),
    "bad_offsets_wrap": raw_file(
        entry(offsets="[18446744073709551612,0]"), ONE),
    "bad_bytes": raw_file(entry(shape="[2]"), ONE),
    "bad_overlap": raw_file(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
        '"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', ONE),
    "bad_gap": raw_file(entry(offsets="[4,8]"), ONE + ONE),
    "bad_trailing": raw_file(entry(), ONE + b"x"),
    "bad_repeated_name": raw_file(entry()[:-1] + "," + entry()[1:], ONE),
    "bad_depth": raw_file('{"t":' + "[" * 2000 + "]" * 2000 + "}"),
    "bad_depth_in_string": raw_file('{"' + "[" * 40 + '":1}'),
    "bad_json": raw_file('{"t":'),
    "bad_utf8": struct.pack("<Q", 7) + b'{"\xff":1}',
    "bad_array": raw_file("[]"),
    "bad_metadata": raw_file('{"__metadata__":{"a":1}}'),
    "bad_metadata_kind": raw_file('{"__metadata__":[]}'),
    "bad_missing_fields": raw_file('{"t":{}}'),
}

# LoRA files for the model of adapter_fuzz.cc: three inputs, two outputs.

DOWN = ("F32", [2, 3], floats(1, 2, 3, 4, 5, 6))
UP = ("F32", [2, 2], floats(1, 0, 0, 1))
ALPHA = ("F32", [], floats(4))
Q = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
KOHYA = "lora_" + Q.replace(".", "_")
LDM = "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q"
TEXT = "text_model.encoder.layers.0.self_attn.q_proj"
TEXT_KOHYA = "lora_te_" + TEXT.replace(".", "_")
WINDOW = ("F32", [1, 1, 3, 3], floats(*range(9)))
TWO, SIX = ("F32", [2], floats(1, 2)), ("F32", [2, 3], floats(*range(6)))


def lora(down=DOWN, up=UP, **rest):
    return file_of({f"{Q}.lora_A.weight": down, f"{Q}.lora_B.weight": up,
                    **rest})


def kohya(layer=KOHYA, **parts):
    return file_of({f"{layer}.{part.replace('__', '.')}": tensor
                    for part, tensor in parts.items()})


def column(*values):
    return ("F32", [len(values), 1], floats(*values))


def row(*values):
    return ("F32", [1, len(values)], floats(*values))


PEFT_CONFIG = json.dumps({"r": 2, "lora_alpha": 8, "use_rslora": True,
                          "alpha_pattern": {"attn1.to_q": 3},
                          "rank_pattern": {}})
ADAPTER = {
    "peft": lora(),
    "peft_metadata": file_of({f"{Q}.lora_A.weight": DOWN,
                              f"{Q}.lora_B.weight": UP},
                             {"lora_adapter_metadata": PEFT_CONFIG}),
    "peft_wrapped": file_of({
        f"base_model.model.{TEXT}.lora_A.default.weight": DOWN,
        f"base_model.model.{TEXT}.lora_B.default.weight": UP}),
    "diffusers": file_of({f"{Q}.lora.down.weight": DOWN,
                          f"{Q}.lora.up.weight": UP}),
    "diffusers_old": file_of({
        f"{Q[5:-5]}.processor.to_q_lora.down.weight": DOWN,
        f"{Q[5:-5]}.processor.to_q_lora.up.weight": UP}),
    "peft_text": file_of({f"text_encoder.{TEXT}.lora_A.weight": DOWN,
                          f"text_encoder.{TEXT}.lora_B.weight": UP}),
    "kohya": kohya(lora_down__weight=DOWN, lora_up__weight=UP, alpha=ALPHA),
    "kohya_ldm": kohya(LDM, lora_down__weight=DOWN, lora_up__weight=UP),
    "kohya_text": kohya(
        TEXT_KOHYA, alpha=("F16", [1], b"\x00\x3c"),
        lora_down__weight=("F16", [1, 3], b"\x00\x3c\x00\x3c\x00\xbc"),
        lora_up__weight=("BF16", [2, 1], b"\x80\x3f\x00\x00")),
    "one_trainer": file_of({f"lora_{Q}.lora_down.weight": DOWN,
                            f"lora_{Q}.lora_up.weight": UP,
                            f"lora_{Q}.dora_scale": column(1, 2)}),
    "dora": lora(**{f"{Q}.lora_magnitude_vector": TWO}),
    "convolution": kohya("lora_unet_conv_in", lora_down__weight=WINDOW,
                         lora_up__weight=("F32", [2, 1, 1, 1], floats(1, 2))),
    "convolution_core": kohya(
        "lora_unet_conv_in", lora_mid__weight=WINDOW,
        lora_down__weight=("F32", [1, 1, 1, 1], floats(3)),
        lora_up__weight=("F32", [2, 1, 1, 1], floats(1, 2))),
    "loha": kohya(hada_w1_a=column(1, 2), hada_w1_b=row(1, 2, 3),
                  hada_w2_a=column(3, 4), hada_w2_b=row(4, 5, 6), alpha=ALPHA),
    "loha_core": kohya(
        "lora_unet_conv_in", hada_t1=WINDOW, hada_t2=WINDOW,
        hada_w1_a=row(1, 2), hada_w1_b=row(1), hada_w2_a=row(3, 4),
        hada_w2_b=row(2)),
    "lokr": kohya(lokr_w1=column(1, 2), lokr_w2=row(1, 2, 3)),
    "lokr_factors": kohya(lokr_w1_a=column(1, 2), lokr_w1_b=row(1),
                          lokr_w2_a=column(1), lokr_w2_b=row(1, 2, 3),
                          alpha=ALPHA),
    "full": kohya(TEXT_KOHYA, diff=SIX, diff_b=TWO),
    "norm": kohya("lora_unet_conv_norm_out", w_norm=TWO, b_norm=TWO),
    "unknown_key": lora(**{"other": TWO}),
    "key_kohya": f"{KOHYA}.lora_up.weight",
    "key_ldm": f"{LDM}.hada_w1_a",
    "key_old": f"{Q[5:-5]}.processor.to_out_lora.up.weight",
    "key_peft": f"base_model.model.{Q}.lora_A.default.weight",
    "bad_key_empty_layer": "unet..alpha",
    "bad_key_no_layer": "lora_te_.alpha",
    "bad_key_shared": "unet.alpha",
    "bad_half": file_of({f"{Q}.lora_A.weight": DOWN}),
    "bad_ranks": lora(up=column(1, 2)),
    "bad_axes": lora(down=("F32", [6], floats(1, 2, 3, 4, 5, 6))),
    "bad_no_elements": lora(down=("F32", [2, 0], b"")),
    "bad_integers": lora(up=("I32", [2, 2], bytes(16))),
    "bad_window": lora(row(1, 2), ("F32", [1, 1, 2, 1], floats(1, 2))),
    "bad_shape": lora(row(1, 2), column(1, 2)),
    "bad_alpha_nan": lora(**{f"{Q}.alpha": ("F32", [], floats(float("nan")))}),
    "bad_alpha_two": lora(**{f"{Q}.alpha": TWO}),
    "bad_value": lora(up=("F32", [2, 2], floats(1, 0, float("inf"), 1))),
    "bad_twice": lora(**{f"{KOHYA}.lora_down.weight": DOWN}),
    "bad_two_kinds": lora(**{f"{KOHYA}.lokr_w1": TWO}),
    "bad_lokr_large": kohya(lokr_w1=("F32", [500, 1], bytes(2000)),
                            lokr_w2=("F32", [1, 500], bytes(2000))),
    "bad_none": file_of({}),
    "bad_rank_zero": lora(("F32", [0, 3], b""), ("F32", [2, 0], b"")),
    "bad_pickle": b"PK\x03\x04archive/data.pkl",
}

# Prompts files: options, number of cuts, cuts, file (see jsonl_fuzz.cc).


def cut(text, cuts=(), memory_ids=1, line=None):
    text = text if isinstance(text, bytes) else text.encode()
    long_line = 0 if line is None else 0x80 | line << 3
    return bytes([memory_ids - 1 | long_line, len(cuts), *cuts]) + text


FULL = json.dumps({
    "prompt": "a red apple", "custom_id": "apple-1", "negative_prompt": "blur",
    "seed": 2 ** 64 - 1, "num_images_per_prompt": 2, "num_inference_steps": 25,
    "guidance_scale": 7.5, "width": 512, "height": 64, "sampler": "ddim",
    "loras": [{"name": "ink", "scale": -0.5}, {"name": "pixel"}]})


def lines(*objects):
    return "\n".join(json.dumps(o) for o in objects) + "\n"


JSONL = {
    "full": cut(FULL + "\n", (3, 8)),
    "three": cut(lines({"prompt": "a"}, {"prompt": "b"}, {"prompt": "c"}),
                 (1, 0, 4)),
    "bytewise": cut('{"prompt":"\u00e4\U0001f34e"}\n\n{"prompt":"b"}', (0,)),
    "crlf": cut('{"prompt":"a"}\r\n \r\n{"prompt":"b"}\r', (3, 2)),
    "byte_order_mark": cut('\ufeff{"prompt":"a"}\n', (0,)),
    "implicit_ids": cut(lines(*[{"prompt": str(i)} for i in range(40)]), (9,)),
    "spilled_ids": cut(lines(*[{"prompt": "x", "custom_id": f"id{i}"}
                               for i in range(40)]), (17,), 3),
    "longest_line": cut('{"prompt":"a"~}\n', (200, 255), line=8),
    "longest_line_with_mark": cut('\ufeff{"prompt":"a"~}\n', (200,), line=11),
    "longest_line_at_end": cut('{"prompt":"a"~}', (), line=8),
    "longest_line_crlf": cut('{"prompt":"a"~}\r\n', (130,), line=9),
    "samplers": cut(lines(*[{"prompt": "", "sampler": s} for s in
                            ("ddim", "euler", "DDIMScheduler", "")])),
    "escapes": cut(r'{"prompt":"\ud83c\udf4e\n\t\"\\\/","seed":0}', (5,)),
    "bad_line_too_long": cut('{"prompt":"a"~}\n{"prompt":"b"}\n', (255,),
                             line=9),
    "bad_empty": cut(""),
    "bad_blank": cut(" \n\t\r\n\ufeff"),
    "bad_duplicates": cut(lines({"prompt": "a", "custom_id": "x"},
                                {"prompt": "b", "custom_id": "y"},
                                {"prompt": "c", "custom_id": "x"}), (2,)),
    "bad_implicit_duplicate": cut(lines({"prompt": "a"},
                                        {"prompt": "b", "custom_id": "0"})),
    "bad_eleven": cut("x\n" * 11, (4,)),
    "bad_ten_at_end": cut("x\n" * 9 + "x", (4,)),
    "bad_ranges": cut(lines({"prompt": "a", "width": 65},
                            {"prompt": "a", "height": 4104},
                            {"prompt": "a", "num_inference_steps": 0},
                            {"prompt": "a", "guidance_scale": -1},
                            {"prompt": "a", "num_images_per_prompt": 1025},
                            {"prompt": "a", "seed": -1},
                            {"prompt": "a", "custom_id": "../x"})),
    "bad_types": cut(lines({"prompt": 1}, {"prompt": None}, [], "x",
                           {"prompt": "a", "seed": 1.5},
                           {"prompt": "a", "loras": {}},
                           {"prompt": "a", "loras": [1]},
                           {"prompt": "a", "width": True})),
    "bad_fields": cut('{"promt":"a"}\n{"prompt":"a","prompt":"b"}\n{}\n'
                      '{"prompt":"a","loras":[{"name":"ink","nam":1}]}\n'
                      '{"prompt":"a","loras":[{"name":"ink","name":"ink"}]}\n'
                      '{"prompt":"a","loras":[{"name":"ink"},{"name":"ink"}]}\n'
                      '{"prompt":"a","loras":[{"scale":1}]}\n'
                      '{"prompt":"a","loras":[{"name":"ink","scale":1e39}]}\n'),
    "bad_numbers": cut('{"prompt":"a","guidance_scale":1e999}\n'
                       '{"prompt":"a","seed":18446744073709551616}\n'
                       '{"prompt":"a","seed":1e2}\n{"prompt":"a","width":01}'),
    "bad_utf8": cut(b'{"prompt":"\xff\xc0\x80"}\n', (0,)),
    "bad_surrogate": cut(r'{"prompt":"\ud800"}'),
    "bad_nul": cut(r'{"prompt":"a\u0000b"}' + "\n\0\n"),
    "bad_depth": cut("[" * 3000 + "]" * 3000 + "\n"),
    "bad_two_values": cut('{"prompt":"a"}{"prompt":"b"}\n{"prompt":"a"} x'),
}

# Messages of protocol buffers, written by hand: (field, value) pairs.


def varint(value):
    value &= 2 ** 64 - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def message(*fields):
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        elif isinstance(value, float):
            out += varint(number << 3 | 5) + struct.pack("<f", value)
        else:
            value = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def frame(content):
    """A zstd frame of one segment with one block that is not compressed."""
    block = (len(content) << 3 | 1).to_bytes(3, "little")
    return b"\x28\xb5\x2f\xfd\x60" + struct.pack("<H", len(content) - 256) \
        + block + content


LORA = message((1, "ink"), (2, -0.5))
TASK = message((1, 7), (2, "apple-1"), (3, 1), (4, "ein \u00c4pfel"),
               (5, "blur"), (6, 2 ** 64 - 1), (7, 25), (8, 7.5), (9, 512),
               (10, 64), (11, "ddim"), (12, LORA), (12, LORA))
SHARD = message((1, TASK), (1, message((4, "x" * 200))), (1, b""))
LEASE = message((1, "job-1"), (2, 3), (3, 4))
INFO = message((1, "host"), (2, "cpu"), (3, 2), (4, "0.1.0"), (5, "emoji-sd"),
               (6, 4))
DEFAULTS = message((1, 25), (2, 7.5), (3, 512), (4, 512), (5, "euler"),
                   (6, LORA), (7, "blur"))
HEADER = message((1, "emoji-sd"), (2, "/out"), (3, DEFAULTS), (4, 16),
                 (5, "request-1"), (6, 5), (7, 0), (8, "ink"))
IMAGE = message((1, "apple-1"), (2, 1), (3, 9), (4, "images/a.png"),
                (5, "ab" * 32), (6, 512), (7, 512), (8, "worker"))

SHARD_CODEC = {
    "stored": b"\x00" + frame(SHARD),
    "shard": b"\x01" + SHARD,
    "shard_empty": b"\x01",
    "shard_lora_digest": b"\x01" + message((1, message((12, message(
        (1, "ink"), (2, 1.0), (3, "0" * 64)))))),
    "shard_unknown_field": b"\x01" + message((1, TASK + message((99, 5)))),
    "shard_extremes": b"\x01" + message((1, message(
        (1, -2 ** 63), (3, -1), (7, -2 ** 31), (8, float("nan")), (9, -8)))),
    "header": b"\x02" + HEADER,
    "header_least": b"\x02" + message((1, "m"), (2, "/")),
    "synchronize_idle": b"\x03" + message((1, "worker"), (2, 1), (3, INFO),
                                          (4, b"")),
    "synchronize_executing": b"\x03" + message(
        (1, "worker"), (2, 2), (3, INFO), (5, message((1, LEASE), (2, 8))),
        (6, 1)),
    "commit": b"\x04" + message(
        (1, "worker"), (2, LEASE), (3, message((1, 0), (2, IMAGE))),
        (3, message((1, 1), (3, message((1, "INTERNAL"), (2, "no"))))),
        (4, 1)),
    "page_token": b"\x0517",
    "bad_stored_cut": b"\x00" + frame(SHARD)[:-9],
    "bad_stored_size": b"\x00\x28\xb5\x2f\xfd\xe0" + b"\xff" * 8 + SHARD,
    "bad_stored_size_2g": b"\x00\x28\xb5\x2f\xfd\xa0" + b"\x00\x00\x00\x7f",
    "bad_stored_size_unknown": b"\x00\x28\xb5\x2f\xfd\x00\x58\x01\x00\x00",
    "bad_stored_not_a_shard": b"\x00" + frame(b"\xff" * 300),
    "bad_stored_empty": b"\x00",
    "bad_shard_utf8": b"\x01" + message((1, message((4, b"\xff")))),
    "bad_shard_cut": b"\x01" + SHARD[:-3],
    "bad_header_model": b"\x02" + message((1, "../m"), (2, "/")),
    "bad_header_lora": b"\x02" + message((1, "m"), (2, "/"), (3, DEFAULTS)),
    "bad_header_guidance": b"\x02" + message(
        (1, "m"), (2, "/"), (3, message((2, float("nan"))))),
    "bad_header_failed_images": b"\x02" + message((1, "m"), (2, "/"), (7, -1)),
    "bad_synchronize_lease": b"\x03" + message((1, "w"), (5, b"")),
    "bad_synchronize_neither": b"\x03" + message((1, "w")),
    "bad_synchronize_worker": b"\x03" + message((1, "w" * 129), (4, b"")),
    "bad_commit_outcome": b"\x04" + message((1, "w"), (2, LEASE), (3, b"")),
    "commit_many": b"\x04" + message(
        (1, "w"), (2, LEASE)) + b"\x1a\x02\x12\x00" * 200,
    "bad_commit_epoch": b"\x04" + message((1, "w"), (2, message(
        (1, "j"), (3, -1)))),
    "bad_page_token": b"\x0501",
    "bad_page_token_sign": b"\x05-1",
    "bad_page_token_large": b"\x0599999999999999999999",
}

TOKENIZER = {
    "words": "a Photo of an astronaut riding a horse, 4k!",
    "contractions": "it's they're i'll we've i'm he'd don't 'S''s",
    "special": "a<|startoftext|>b<|endoftext|> <|endoftext|><|endof",
    "emoji": "\U0001f469\u200d\U0001f680 \U0001f1e9\U0001f1ea \u2764\ufe0f",
    "german": "\u00c4pfel, K\u00e4se, STRASSE, Stra\u00dfe \u1e9e",
    "decomposed": "A\u0308pfel e\u0301\u0327 \u1100\u1161\u11a8",
    "turkish": "\u0130stanbul I\u0131\u0307",
    "greek": "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3",
    "chinese": "\u4e00\u4e2a\u7ea2\u82f9\u679c\u3000\u3002",
    "numbers": "1234 3.14 \u0663\u06f4 \u216b \u00bd x2",
    "blanks": " \t\n\r\u00a0\u2003\u2028\u3000\x85",
    "controls": "a\x00b\x1c\x1d\x1e\x1f\x7f",
    "symbols": "!!!??--==>>((masterpiece:1.2)), {a|b} $%&",
    "long": "a cat and " * 40,
    "longest_word": "antidisestablishment" * 20,
    "combining": "a" + "\u0301\u0323" * 60,
    "bad_utf8": b"\xff\xfe\x80a\xc3\xed\xa0\x80\xf4\x90\x80\x80\xf0\x9f\x8d",
    "nothing": "",
}

if __name__ == "__main__":
    write("safetensors", SAFETENSORS)
    write("adapter", ADAPTER)
    write("jsonl", JSONL)
    write("shard_codec", SHARD_CODEC)
    write("tokenizer", TOKENIZER)
