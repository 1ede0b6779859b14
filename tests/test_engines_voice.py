"""What teaches the listener: phones and lips, spoilt sound, films, training that goes on, export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra: pip install 'facepuppet[train]'")
pytest.importorskip("scipy")

from engines.voice.augment import at_speed, spoilt  # noqa: E402
from engines.voice.espeak import Espeak, Phone, Spoken  # noqa: E402
from engines.voice.examples import Example, measures_of, of_noise, of_spoken  # noqa: E402
from engines.voice.export_listener import ship  # noqa: E402
from engines.voice.films import read_films  # noqa: E402
from engines.voice.listener import MouthListener  # noqa: E402
from engines.voice.listener_judgement import lips_met, of_film, silent_shut  # noqa: E402
from engines.voice.listener_training import Recipe, hear, masked, train  # noqa: E402
from engines.voice.phones import GRID_HZ, kind_of, kinds_of, lips_of  # noqa: E402
from engines.voice.sung import FORMANTS_HZ, sung_lines  # noqa: E402
from facepuppet.core import F32  # noqa: E402
from facepuppet.inference.manifest import find_network, read_verified, shipped_folder  # noqa: E402
from facepuppet.voice import RATE_HZ  # noqa: E402
from facepuppet.voice.mouth_network import MouthNetwork  # noqa: E402
from facepuppet.voice.pitch import WINDOW, pitch_of  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Several threads of so small a network wait for each other, on a busy machine for minutes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


PHONES = (Phone("", 0.0), Phone("a", 0.2), Phone("b", 0.4), Phone("u", 0.5), Phone("", 0.7))


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def spoken(seed: int = 0) -> Spoken:
    """Bursts of a buzz where PHONES have vowels."""
    t_s = np.arange(RATE_HZ) / RATE_HZ
    loud = ((t_s > 0.2) & (t_s < 0.4)) | ((t_s > 0.5) & (t_s < 0.7))
    sound = 0.2 * np.sign(np.sin(2 * np.pi * (110 + 10 * seed) * t_s)) * loud
    return Spoken(sound.astype(np.float32), RATE_HZ, PHONES)


@pytest.mark.parametrize(
    ("ipa", "kind"),
    [("p", "shut"), ("mʲ", "shut"), ("f", "lip-teeth"), ("tʃ", "hush"), ("ʊ", "close-round"), ("", "pause")],
)
def test_phones_are_of_their_kind(ipa: str, kind: str) -> None:
    assert kind_of(ipa) == kind


def test_lips_meet_where_a_phone_shuts_them_and_open_for_vowels() -> None:
    gap, width = measures_of(lips_of(kinds_of(PHONES, 1.0, burst_lead_s=0.0)))
    assert gap[round(0.3 * GRID_HZ)] > 0.1
    assert gap[round(0.45 * GRID_HZ)] < 0.01
    assert width[round(0.6 * GRID_HZ)] < -0.03
    assert abs(gap[-1]) < 0.005


def test_a_p_is_shut_before_its_burst() -> None:
    kinds = kinds_of((Phone("a", 0.0), Phone("p", 0.5), Phone("a", 0.54)), 1.0)
    assert kinds[round(0.47 * GRID_HZ)] == "shut"
    assert kinds[round(0.53 * GRID_HZ)] == "shut" or kinds[round(0.52 * GRID_HZ)] == "shut"
    assert kinds[round(0.4 * GRID_HZ)] == "open"


def test_espeak_tells_when_its_phones_begin() -> None:
    try:
        espeak = Espeak()
    except OSError:
        pytest.skip("espeak-ng's library is not here")
    told = espeak.say("Bob put a map up.", "en")
    assert [phone.ipa for phone in told.phones if kind_of(phone.ipa) == "shut"] == list("bbpmpp")
    starts = [phone.start_s for phone in told.phones]
    assert starts == sorted(starts)
    assert 0.5 < starts[-1] < len(told.sound) / told.rate_hz


def test_a_voice_that_is_not_there_is_named() -> None:
    try:
        espeak = Espeak()
    except OSError:
        pytest.skip("espeak-ng's library is not here")
    with pytest.raises(ValueError, match="no-such-voice"):
        espeak.say("Hello", "no-such-voice")


def test_spoilt_sound_is_as_long_and_within_full_scale() -> None:
    sound = spoken().sound
    for seed in range(30):
        made = spoilt(sound, chance(seed), [sound])
        assert made.shape == sound.shape
        assert np.isfinite(made).all()
        assert np.abs(made).max() <= 1.0


def test_held_notes_have_their_pitch_and_phones_that_last() -> None:
    ((singer, line),) = list(sung_lines(1, 3))
    assert singer == "singer 0"
    held = [
        (other.start_s - one.start_s, pitch_of(line.sound[round((one.start_s + 0.2) * RATE_HZ) :][:WINDOW]))
        for one, other in zip(line.phones, line.phones[1:], strict=False)
        if one.ipa in FORMANTS_HZ
    ]
    assert held and min(lasts for lasts, _ in held) >= 0.4
    assert all(60.0 < pitch_hz < 600.0 for _, pitch_hz in held)


def test_faster_speech_is_shorter() -> None:
    assert len(at_speed(spoken().sound, 1.25)) == round(RATE_HZ / 1.25)


def test_an_example_knows_where_somebody_speaks_and_where_lips_are_shut() -> None:
    example = of_spoken(spoken(), "buzz", chance(), [], burst_lead_s=0.0, clean=True)
    assert 0.2 < example.speaking.mean() < 0.9
    assert example.shut.sum() >= 3
    assert example.gap[example.shut > 0].max() < 0.05
    assert example.gap.max() > 0.1
    nobody = of_noise(chance(), [])
    assert not nobody.speaking.any()
    assert not nobody.mouth.any()


def test_masking_leaves_most_features_as_they_are() -> None:
    features = np.ones((200, 81), np.float32)
    made = masked(features, chance())
    assert made.shape == features.shape
    assert not np.shares_memory(made, features)
    assert (np.abs(made - 1.0) < 0.8).mean() > 0.5


def examples(n: int = 4) -> list[Example]:
    return [
        of_spoken(spoken(seed), f"buzz {seed}", chance(seed), [], burst_lead_s=0.0, clean=True)
        for seed in range(n)
    ]


def test_training_learns_what_it_is_shown() -> None:
    shown = examples()
    recipe = Recipe(steps=60, batch=4, stretch=60, filmed=0.0, width=24, drop=0.0, average=0.8)
    before, after = MouthListener(24), train(shown, recipe, every=60)

    def error(network: MouthListener) -> float:
        network.eval()
        gaps = [measures_of(hear(network, example.features)[0])[0] - example.gap for example in shown]
        return float(np.abs(np.concatenate(gaps)).mean())

    assert error(after) < 0.6 * error(before)


def test_training_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint.pt"
    recipe = Recipe(steps=6, batch=2, stretch=60, filmed=0.0, width=8)
    first = train(examples(2), recipe, kept, every=3)
    again = train(examples(2), recipe, kept, every=3)
    for one, other in zip(first.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    assert torch.load(kept, weights_only=True)["step"] == 6


def test_what_is_shipped_hears_as_what_was_trained_however_it_is_fed(tmp_path: Path) -> None:
    network = MouthListener(16).eval()
    manifest = shipped_folder() / "manifest.toml"
    (tmp_path / "manifest.toml").write_text(manifest.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "weights").mkdir()
    assert ship(network, "a test", tmp_path) < 1e-5
    listed = find_network("listener", "mouth-listener", "the listener", tmp_path)
    assert listed.origin == "a test"
    assert read_verified(listed)
    features = chance().standard_normal((90, 81)).astype(np.float32)
    expected, _ = hear(network, features)
    mouth = MouthNetwork(tmp_path)
    pieces = [
        mouth.feed(features[a:b], np.zeros(b - a, np.float32))[0]
        for a, b in ((0, 1), (1, 1), (1, 64), (64, 90))
    ]
    np.testing.assert_allclose(np.concatenate(pieces), expected, atol=1e-5)


def test_judgement_knows_a_perfect_listener_from_a_deaf_one() -> None:
    (example,) = examples(1)
    steps = iter([example.mouth] * 3)

    def perfect(_: F32) -> tuple[F32, F32]:
        return next(steps), example.speaking

    def gaping(features: F32) -> tuple[F32, F32]:
        return np.full((len(features), 13), 0.3, np.float32), np.ones(len(features), np.float32)

    film = of_film(example, perfect)
    assert film.opening > 0.99
    assert film.lag_s == 0.0
    assert silent_shut([example], perfect) > 0.9
    assert lips_met([example], perfect) == 1.0
    assert silent_shut([example], gaping) == 0.0
    assert lips_met([example], gaping) == 0.0


def test_the_table_of_films_reads_and_says_what_it_does_not_understand(tmp_path: Path) -> None:
    films = read_films(shipped_folder() / "films.toml")
    assert len({film.person for film in films}) >= 20
    wrong = tmp_path / "films.toml"
    wrong.write_text('[somebody]\nclips = ["a"]\n', encoding="utf-8")
    with pytest.raises(ValueError, match="somebody"):
        read_films(wrong)
