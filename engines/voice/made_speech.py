"""Speech made by machines, of many voices and languages, with phones known: what clips are too few for."""

from __future__ import annotations

import random
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

from engines.voice.espeak import Espeak, Phone, Spoken
from engines.voice.take import read_sound
from facepuppet.voice import RATE_HZ

# Languages whose spelling takes Latin letters as they come.
LANGUAGES = (
    *(
        "en-us",
        "en-gb",
        "de",
        "fr-fr",
        "es",
        "it",
        "pt",
        "nl",
        "sv",
        "da",
        "nb",
        "fi",
        "pl",
        "cs",
        "hu",
        "tr",
    ),
    *("ro", "id", "sw", "hr", "sk", "sl", "lt", "lv", "et", "ca", "af", "cy", "vi", "eo"),
)
VARIANTS = (
    *(f"+m{n}" for n in range(1, 9)),
    *(f"+f{n}" for n in range(1, 6)),
    *("+Alex", "+Andy", "+Annie", "+belinda", "+Denis", "+Diogo", "+Gene", "+Henrique", "+Hugo", "+Jacky"),
    *("+Lee", "+linda", "+Marco", "+Mario", "+max", "+Michael", "+Mr serious", "+norbert", "+pablo", "+paul"),
    *("+quincy", "+rob", "+robert", "+shelby", "+steph", "+Storm", "+travis", "+victor", "+zac", "+ed"),
)
# Festival's voices are cut from people's recordings. The letters with which each names what differs from IPA.
FESTIVAL_VOICES = (
    *(
        "kal_diphone",
        "ked_diphone",
        "cmu_us_slt_arctic_hts",
        "czech_dita",
        "czech_krb",
        "czech_machac",
        "czech_ph",
    ),
    *("lp_diphone", "pc_diphone", "suo_fi_lj_diphone", "hy_fi_mv_diphone", "upc_ca_ona_hts"),
)
_RADIO = MappingProxyType(
    {
        **{"aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "a", "ax": "ə", "ay": "a", "eh": "ɛ", "er": "ɝ"},
        **{
            "ey": "e",
            "ih": "ɪ",
            "iy": "i",
            "ow": "o",
            "oy": "ɔ",
            "uh": "ʊ",
            "uw": "u",
            "ch": "tʃ",
            "sh": "ʃ",
        },
        **{"jh": "dʒ", "zh": "ʒ", "th": "θ", "dh": "ð", "ng": "ŋ", "hh": "h", "y": "j", "r": "ɹ", "axr": "ɝ"},
    }
)
# Common words, so that made speech is half of what people say and half of what nobody does.
_WORDS = (
    "people maybe about some place problem company number become public between above simple member important"
    " before family possible perhaps program above room team time home map top web baby bubble apple number"
    " people bob peter paper pepper mummy memory moment movement bring book big black blue brown best better"
    " we were what when where which while with without world word work would woman women water one two three"
    " four five six seven eight nine ten you your yes who how know now new house open over only other order"
    " she should show share short fish wash much church choose judge change just usual measure vision fire"
    " feel fall five very voice have over think this that there mother brother father either tooth see sit"
    " seat set sat sun so say said stop start street small green great good go get give game goal call cool"
    " key car law low little long large late last let leave eat each easy in on an and ask air ear are our"
    " boy toy noise point out down town sound go so no home whole both most"
)
_ONSETS = (
    "p",
    "b",
    "m",
    "f",
    "v",
    "t",
    "d",
    "n",
    "s",
    "l",
    "r",
    "k",
    "g",
    "h",
    "j",
    "pr",
    "bl",
    "st",
    "tr",
    "",
)
_CODAS = ("", "", "", "m", "n", "p", "t", "k", "s", "l", "r")


def words() -> tuple[str, ...]:
    """Return common words."""
    return tuple(_WORDS.split())


def text(chance: random.Random, words: Sequence[str]) -> str:
    """Return a line of some seconds: real words, syllables that are none, and pauses."""
    parts: list[str] = []
    for _ in range(chance.randint(4, 12)):
        if words and chance.random() < 0.5:
            parts.append(chance.choice(words))
        else:
            parts.append("".join(_syllable(chance) for _ in range(chance.randint(1, 3))))
        if chance.random() < 0.15:
            parts[-1] += ","
    return " ".join(parts) + chance.choice([".", "!", "?"])


def espeak_lines(n: int, seed: int, words: Sequence[str]) -> Iterator[tuple[str, Spoken]]:
    """Yield lines in chance voices, with the voice's name."""
    chance, espeak = random.Random(seed), Espeak()
    while n > 0:
        voice = chance.choice(LANGUAGES) + chance.choice(VARIANTS)
        try:
            spoken = espeak.say(
                text(chance, words),
                voice,
                words_a_minute=chance.randint(110, 220),
                pitch=chance.randint(15, 85),
                pitch_range=chance.randint(20, 80),
            )
        except ValueError:  # not every build has every variant
            continue
        n -= 1
        yield voice, spoken


def festival_lines(n: int, seed: int, words: Sequence[str]) -> Iterator[tuple[str, Spoken]]:
    """Yield lines in Festival's voices that are installed, with the voice's name."""
    chance = random.Random(seed)
    for i in range(n):
        voice = FESTIVAL_VOICES[i % len(FESTIVAL_VOICES)]
        english = voice.startswith(("kal", "ked", "cmu"))
        if (spoken := _festival(voice, text(chance, words if english else ()))) is not None:
            yield voice, spoken


def _festival(voice: str, line: str) -> Spoken | None:
    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "said.wav"
        script = Path(folder) / "say.scm"
        script.write_text(
            f'(voice_{voice})\n(set! u (utt.synth (Utterance Text "{line}")))\n(utt.save.wave u "{wave}")\n'
            '(mapcar (lambda (s) (format t "%s %f\\n" (item.name s) (item.feat s \'end)))'
            " (utt.relation.items u 'Segment))\n"
        )
        try:
            told = subprocess.run(
                ["festival", "-b", script], capture_output=True, text=True, timeout=60, check=True
            )
            sound = read_sound(wave)
        except (subprocess.SubprocessError, OSError):
            return None
    phones, start_s = [], 0.0
    for row in told.stdout.splitlines():
        name, end_s = row.split()
        phones.append(Phone(ipa_of(name), start_s))
        start_s = float(end_s)
    return Spoken(sound, RATE_HZ, tuple(phones))


def ipa_of(name: str) -> str:
    """Return a phone of Festival's or of CMU's dictionary, in lower case, as IPA; of a pause nothing."""
    if name in ("pau", "_", "#", "h#", "ssil", "brth", "sil", "+spn+", "+nsn+"):
        return ""
    return _RADIO.get(name, name[0].lower() if name[0].isalpha() else "")


def _syllable(chance: random.Random) -> str:
    return chance.choice(_ONSETS) + chance.choice("aeiouaeo") + chance.choice(_CODAS)
