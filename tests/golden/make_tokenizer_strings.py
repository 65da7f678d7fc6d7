"""Token ids of awkward prompts from transformers' CLIPTokenizer.

usage: make_tokenizer_strings.py TOKENIZER_FOLDER OUT.json

Takes only characters of Unicode 9 and older: libraries differ in which newer
ones they know.
"""
import json
import random
import sys

import tokenizers
import transformers

LENGTH = 77

WHITE_SPACE = [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x85, 0xA0, 0x1680,
               *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
# Looks like white space or sounds like it, and is none.
NO_WHITE_SPACE = [0x1C, 0x1D, 0x1E, 0x1F, 0x180E, 0x200B, 0x200C, 0x200D,
                  0x2060, 0xFEFF]
CONTROL = [0x00, 0x01, 0x07, 0x08, 0x1B, 0x7F, 0x80, 0x9F, 0xAD, 0x200E,
           0x202E, 0x2066, 0xFFFD, 0xFFFE, 0xFFFF, 0x10FFFF]
APOSTROPHES = "'\u2019\u2018\u02BC\uFF07\u00B4`\u2032\u05F3\uA78C"

PLAIN = """
a photo of a cat
A Photo Of A CAT
an  astronaut   riding a horse
hello, world!
wow!!! really?!... yes --- no
@#$%^&*()_+-=[]{}|;:"<>,./?\\~
(masterpiece:1.2), [ugly], {best|good}
<lora:cat:0.8> a <b> </w>
100% 3.14 2024-01-02 1,000,000
a1b2c3 x86_64 4k 8K
user@example.com https://example.com/a?b=c&d=%20
&amp; &lt;b&gt; &#39;
snake_case kebab-case CamelCase dot.case
C++ C# .NET node.js
antidisestablishmentarianism
supercalifragilisticexpialidocious
zzzzqqqqxxxxjjjj
<|start|> <|im_start|>
<|startoftext
startoftext|>
<|endoftext |>
!
!!
.
_
""".strip("\n").split("\n")

SPECIAL = """
<|startoftext|>
<|endoftext|>
<|startoftext|><|endoftext|>
<|endoftext|><|startoftext|>
a<|startoftext|>b
a <|startoftext|> b <|endoftext|> c
<|endoftext|> a
cat<|endoftext|>
<|<|startoftext|>|>
<|start<|endoftext|>oftext|>
<|STARTOFTEXT|> a
<|EndOfText|>
a<|ENDOFTEXT|>b
x <|STARTOFTEXT|><|STARTOFTEXT|>
!<|StartOfText|>!
<|startoftext|>'s <|endoftext|>'s
cafe<|endoftext|>\u0301
""".strip("\n").split("\n")

CONTRACTIONS = """
it's don't we're I've I'm you'll he'd
IT'S DON'T WE'RE I'VE I'M YOU'LL HE'D
's 't 're 've 'm 'll 'd
'S'T'RE'VE'M'LL'D
'store 'tree 'mall 'dad 'llama 'realm 'very
rock'n'roll o'clock y'all 'twas
the dogs' the cats'' ''quoted'' 'x' 'l 'r 'v
'''s !'s .'t a.'re 1's 's1
'\u0053 '\u017F '\u212A
""".strip("\n").split("\n")

SCRIPTS = """
\u00E9t\u00E9 na\u00EFve fa\u00E7ade \u00C9COLE
e\u0301te\u0301 nai\u0308ve fac\u0327ade E\u0301COLE
a\u0323\u0302 \u1EAD a\u0302\u0323 \u00E2\u0323 \u1EA1\u0302
\u212B \u00C5 A\u030A \u2126 \u03A9 \u212A K
\uFB01 \uFB00ect \u00BD \u00B2 \u2460 \u2167 \u216B \u2180
\u0344 \u0958 \u2ADC \uFB1D \u0F43
I\u0131 \u0130i \u0130stanbul ISTANBUL \u0131s\u0131k I\u0307
STRASSE Stra\u00DFe STRA\u1E9EE \u00DF\u00DF
\u039F\u0394\u039F\u03A3 \u03BF\u03B4\u03CC\u03C2
\u03A3 \u03A3\u0391\u03A3 \u03C3\u03B1\u03C2
\u1F88 \u1FBC \u1F80 \u1FB3 \u0345 \u03D0 \u03D5
\u01C4 \u01C5 \u01C6 \u01F1 \u0187 \u10A0 \u13A0 \uAB70 \u1E00 \U00010400
\u041F\u0440\u0438\u0432\u0435\u0442, \u043C\u0438\u0440! \u0419
\u0418\u0306 \u0451 \u0435\u0308
\u05E9\u05DC\u05D5\u05DD \u05E2\u05D5\u05DC\u05DD \u05E9\u05C1\u05B8
\u0645\u0631\u062D\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645
\u0627\u0653 \u0622
\u202Eabc\u202C \u200Fx \u2067\u0634\u2069
\u0928\u092E\u0938\u094D\u0924\u0947 \u0915\u094D\u0937
\u0E2A\u0E27\u0E31\u0E2A\u0E14\u0E35 \u0E33
\u732B\u306E\u5199\u771F \u30AB\u30BF\u30AB\u30CA
\uFF76\uFF9E \u30AC \u30AB\u3099
\u4E00\u4E8C\u4E09 \u3400 \U00020000 \uF900 \u8C48 \u3007
\uC548\uB155 \u110B\u1161\u11AB\u1102\u1167\u11BC \uD55C\uAE00
\u3001\u3002\u300C\u300D\uFF01\uFF1F\uFF41\uFF21\uFF11
\u0660\u0661\u0662 \u06F0\u06F1 \u0966\u0967 \u09E6 \u0E51 \uFF10 \U0001D7CE
\u0BF1 \u0F33 \u16EE \u2189 \u3021 \uA6E6 \U00010140 \U00012400
10\u20AC \u00A31 \u00A5 $5 \u20BF 5\u00B0C
\u02B0 \u02C7 \u00AA \u00BA \u3005 \u309D \u0640
x\u0302y\u0302 \u0302x \u20DD1\u20E3
\uD7FF \uE000 \uF8FF \U0010FFFD \U000F0000
\U0001D400 \U0001D4D0 \U0001F130 \u24B6 \u24D0
h\u200Be\u200Cl\u200Dl\u2060o
\u0300\u0301\u0302
Z\u0351\u036B\u0343\u036A\u0302\u036B\u033D\u034F\u0334 l\u0488o
\u2013 \u2014 \u2026 \u00AB\u00BB \u201Cq\u201D \u2022 \u00B7 \u00A7
\u2190\u2191 \u2200x\u2208\u211D \u221A2 \u00D7 \u00F7 \u00B1
\u2580\u2588 \u2654 \u266B \u2713 \u2603
""".strip("\n").split("\n")

EMOJI = """
\U0001F600
\U0001F600\U0001F601 \U0001F602
\U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466
\U0001F3F3\uFE0F\u200D\U0001F308
\U0001F44D\U0001F3FD\U0001F44D\U0001F3FF
\U0001F1E9\U0001F1EA\U0001F1FA\U0001F1F8
1\uFE0F\u20E3 #\uFE0F\u20E3
\u2764\uFE0F \u2764 \u2764\uFE0E
cat\U0001F431cat
\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F
\U0001F9D9\u200D\u2642\uFE0F casting
""".strip("\n").split("\n")


def lines(name, texts):
    # The texts are written with escapes in the source, not raw.
    return [(f"{name} {i}", text) for i, text in enumerate(texts)]


def long_texts():
    yield "long: 74 words", "cat " * 74
    yield "long: 75 words fit", "cat " * 75
    yield "long: 76 words are cut", "cat " * 76
    yield "long: 400 words", "a cat and a dog " * 80
    yield "long: one word", "x" * 300
    yield "long: a word of the alphabet", "abcdefghijklmnopqrstuvwxyz" * 40
    yield "long: cut inside a word", "cat " * 73 + "zzzzqqqqxxxxjjjj"
    yield "long: cut inside a letter", "cat " * 74 + "\U00012400"
    yield "long: cut inside an emoji", "\U00013000" * 40
    yield "long: special at the cut", "cat " * 74 + "<|endoftext|> dog"
    yield "long: special behind the cut", "cat " * 76 + "<|startoftext|>"
    yield "long: specials only", "<|startoftext|>" * 100
    yield "long: exclamation marks", "!" * 100
    yield "long: dots", "." * 1000
    yield "long: digits", "1234567890" * 10
    yield "long: blanks", " " * 1000 + "cat" + "\t" * 1000
    yield "long: combining marks", "a" + "\u0301\u0323" * 60


def random_texts(count):
    # Puts neighbours together that nobody would think of.
    parts = ["cat", "DOG", "'s", "'T", "'", "\u2019", " ", "\u00A0", "\n",
             "\u0301", "e", "\u00C9", "1", "\u0663", "\u2167", "!", "...",
             "<|", "|>", "<|endoftext|>", "\u0130", "\u03A3", "\u732B",
             "\U0001F431", "\u200D", "\uFE0F", "\0", "\x7f", "_", "-", "\u00DF"]
    source = random.Random(20240901)
    for i in range(count):
        text = "".join(source.choice(parts)
                       for _ in range(source.randint(3, 24)))
        yield f"random {i}", text


def all_cases():
    yield "empty", ""
    yield "blank", " "
    yield "every white space and nothing else", "".join(map(chr, WHITE_SPACE))
    for c in WHITE_SPACE:
        yield f"white space {c:04X}", f"{chr(c)}cat{chr(c)}{chr(c)} DOG{chr(c)}"
    for c in NO_WHITE_SPACE:
        yield f"no white space {c:04X}", f"cat{chr(c)}dog {chr(c)} cat"
    for c in CONTROL:
        yield f"control {c:04X}", f"cat{chr(c)}dog {chr(c)}"
    for c in APOSTROPHES:
        yield f"apostrophe {ord(c):04X}", f"it{c}s DON{c}T {c}re {c}{c}ll{c}"
    yield from lines("plain", PLAIN)
    yield from lines("special", SPECIAL)
    yield from lines("contraction", CONTRACTIONS)
    yield from lines("script", SCRIPTS)
    yield from lines("emoji", EMOJI)
    yield from long_texts()
    yield from random_texts(60)


EXCLAMATIONS = ["", "a photo of a cat", "hello, world!", "wow!!! really?!",
                "!", "a!b", "!<|endoftext|>!", "\u00A1hola\uFF01", "it!'s",
                "!" * 100, "cat " * 76, "e!\u0301"]


def encode(tokenizer, name, text):
    ids = tokenizer(text, padding="max_length", max_length=LENGTH,
                    truncation=True).input_ids
    assert len(ids) == LENGTH
    return json.dumps({"name": name, "text": text, "ids": ids},
                      separators=(",", ":"))


def main():
    folder, out = sys.argv[1:]
    tokenizer = transformers.CLIPTokenizer.from_pretrained(folder)
    # Stable Diffusion 2 and the second text encoder of XL pad with "!".
    other = transformers.CLIPTokenizer.from_pretrained(folder, pad_token="!")
    cases = [encode(tokenizer, *case) for case in all_cases()]
    exclamations = [encode(other, f"pad {i}", text)
                    for i, text in enumerate(EXCLAMATIONS)]
    with open(out, "w", encoding="ascii") as file:
        file.write('{"transformers":"%s","tokenizers":"%s",\n"length":%d,\n'
                   % (transformers.__version__, tokenizers.__version__, LENGTH))
        file.write('"pad_end":[\n%s\n],\n' % ",\n".join(cases))
        file.write('"pad_exclamation":[\n%s\n]}\n' % ",\n".join(exclamations))
    print(len(cases), "and", len(exclamations), "texts")


if __name__ == "__main__":
    main()
