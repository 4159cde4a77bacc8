"""The loudspeaker: tones as they should be, the newest sound first, and a card that is pulled, held or hanging."""

from __future__ import annotations

import io
import itertools
import shutil
import struct
import subprocess
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers import voice
from drivers.errors import DeviceLost, Misconfigured
from drivers.protocols import Health, Speaker
from drivers.registry import load
from drivers.simulated.speaker import SimulatedSpeaker
from drivers.speaker import LONGEST_CLIP_S
from drivers.speaker_supervisor import SpeakerSupervisor
from drivers.supervisor import Patience
from drivers.tones import RATE, SHAPES, joined, lasts_s, silence, tone
from kiosk.core.signals import Signal
from kiosk.sounds import Sounds

SOON_S = 30.0
QUICKLY = Patience(first_s=0.05, longest_s=0.2, misconfigured_s=0.2)


def samples(clip: bytes) -> list[int]:
    with wave.open(io.BytesIO(clip)) as reader:
        assert (reader.getnchannels(), reader.getsampwidth(), reader.getframerate()) == (1, 2, RATE)
        return list(struct.unpack(f"<{reader.getnframes()}h", reader.readframes(reader.getnframes())))


def pitch(clip: bytes, begins_s: float, lasts_s: float) -> float:
    """Hertz, by how often the wave goes up through zero."""
    piece = samples(clip)[round(RATE * begins_s) : round(RATE * (begins_s + lasts_s))]
    return sum(1 for one, after in itertools.pairwise(piece) if one < 0 <= after) / (len(piece) / RATE)


class TestTones:
    @pytest.mark.parametrize("name", SHAPES)
    def test_each_note_has_its_pitch(self, name: str) -> None:
        for hertz, after, lasts in SHAPES[name]:
            assert pitch(tone(name), after, lasts) == pytest.approx(hertz, rel=0.05, abs=25)

    def test_granted_rises_refused_falls_and_waiting_stays(self) -> None:
        notes = {name: [hertz for hertz, _, _ in shape] for name, shape in SHAPES.items()}
        assert notes["rise"] == sorted(notes["rise"]) and len(set(notes["rise"])) == 2
        assert notes["fall"] == sorted(notes["fall"], reverse=True) and len(set(notes["fall"])) == 2
        assert len(notes["level"]) == 2 and len(set(notes["level"])) == 1
        assert len(notes["tick"]) == 1

    def test_it_is_never_louder_than_it_may_be_and_does_not_click(self) -> None:
        heard = samples(tone("rise", volume=0.25))
        assert max(map(abs, heard)) <= 0x7FFF // 4 + 1
        assert abs(heard[0]) < 300

    def test_clips_are_played_one_after_another(self) -> None:
        assert lasts_s(joined([tone("tick"), silence(0.5)], pause_s=0.1)) == pytest.approx(0.05 + 0.5 + 0.2, abs=0.01)

    @pytest.mark.parametrize("clip", [b"", b"RIFF", b"RIFF\x04\x00\x00\x00WAVE", b"\x00" * 60])
    def test_what_is_no_clip_is_said_to_be_none(self, clip: bytes) -> None:
        with pytest.raises(ValueError, match="WAV"):
            lasts_s(clip)


@pytest.fixture(name="card")
def a_card(tmp_path: Path) -> Iterator[SimulatedSpeaker]:
    with SimulatedSpeaker(link=tmp_path / "speaker") as card:
        yield card


class Rig:
    def __init__(self, card: SimulatedSpeaker) -> None:
        self.card = card
        self.told: list[tuple[Health, str]] = []
        self._news = threading.Condition()
        self.speaker = SpeakerSupervisor(load(card.url, "speaker"), on_health=self._on_health, patience=QUICKLY).start()
        self.wait_for(Health.OK)

    def _on_health(self, name: str, health: Health, why: str) -> None:
        with self._news:
            self.told.append((health, why))
            self._news.notify_all()

    def wait_for(self, health: Health, times: int = 1) -> None:
        with self._news:
            assert self._news.wait_for(lambda: [h for h, _ in self.told].count(health) >= times, SOON_S), self.told

    def say(self, clip: bytes) -> bool:
        return self.speaker.say(lambda: clip)


@pytest.fixture(name="rig")
def a_running_speaker(card: SimulatedSpeaker) -> Iterator[Rig]:
    rig = Rig(card)
    yield rig
    assert rig.speaker.stop()


def wait_until(so: Callable[[], bool]) -> None:
    give_up_s, pause = time.monotonic() + SOON_S, threading.Event()
    while not so():
        assert time.monotonic() < give_up_s
        pause.wait(0.02)


class TestLoudspeaker:
    def test_a_sound_is_played_to_its_end(self, rig: Rig) -> None:
        assert rig.say(tone("rise"))
        wait_until(lambda: tone("rise") in rig.card.whole())

    def test_the_newest_sound_interrupts(self, rig: Rig) -> None:
        long = silence(LONGEST_CLIP_S)
        assert rig.say(long)
        assert rig.card.wait_for(long, timeout_s=SOON_S)
        assert rig.say(tone("fall"))
        wait_until(lambda: tone("fall") in rig.card.whole())
        assert long not in rig.card.whole()

    def test_what_waits_gives_way_to_what_is_newer(self, rig: Rig) -> None:
        """However many children tap at once, the last answer is what is heard in the end, and nothing piles up."""
        for name in ("rise", "level", "tick", "fall") * 8:
            rig.say(tone(name))
        wait_until(lambda: tone("fall") in rig.card.whole())
        assert len(rig.card.heard()) <= 1 + 32

    def test_a_card_that_is_pulled_is_down_with_a_sentence_and_plays_again_when_it_is_back(self, rig: Rig) -> None:
        rig.card.unplug()
        rig.say(tone("rise"))
        rig.wait_for(Health.DOWN)
        why = next(why for health, why in rig.told if health is Health.DOWN)
        assert "No such device" in why and "aplay -l" in why
        assert not rig.say(tone("level")), "nothing is said later"
        rig.card.replug()
        rig.wait_for(Health.OK, times=2)
        assert rig.say(tone("tick"))
        assert rig.card.wait_for(tone("tick"), timeout_s=SOON_S)
        assert tone("level") not in rig.card.heard()

    def test_a_player_that_hangs_is_lost_and_blocks_nobody(self, card: SimulatedSpeaker, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("drivers.speaker.LATE_S", 0.3)
        rig = Rig(card)
        card.silence(True)
        assert rig.say(tone("tick"))
        rig.wait_for(Health.DOWN)
        assert rig.speaker.stop()

    def test_stop_in_the_middle_of_a_sound_ends_it(self, rig: Rig) -> None:
        long = silence(LONGEST_CLIP_S)
        rig.say(long)
        assert rig.card.wait_for(long, timeout_s=SOON_S)
        assert rig.speaker.stop()
        assert long not in rig.card.whole()

    def test_a_clip_that_cannot_be_made_is_a_fault_of_ours_and_ends_no_day(self, rig: Rig) -> None:
        rig.speaker.say(lambda: b"noise")
        rig.wait_for(Health.DOWN)
        rig.wait_for(Health.OK, times=2)

    def test_it_opens_and_closes_twice_and_a_second_time_anew(self, card: SimulatedSpeaker) -> None:
        driver = load(card.url, "speaker")
        assert isinstance(driver, Speaker)
        for _ in range(2):
            assert driver.open().model
            driver.close()
            driver.close()
        driver.open()
        driver.open()
        driver.cancel()
        driver.ping()
        wait_until(lambda: driver.poll(0.1))
        driver.close()

    def test_a_program_that_is_not_there_is_for_a_person_to_mend(self, tmp_path: Path) -> None:
        with pytest.raises(Misconfigured, match="is not there"):
            load(f"sound:exec:{tmp_path}/nothing", "speaker").open()

    @pytest.mark.parametrize("url", ["sound:x", "sound:alsa:", "sound:exec:relative", "sound:alsa:default?volume=3"])
    def test_a_wrong_address_is_named(self, url: str) -> None:
        with pytest.raises(Misconfigured, match="sound:"):
            load(url, "speaker")


@pytest.mark.skipif(shutil.which("aplay") is None, reason="aplay is not installed: apt install alsa-utils")
class TestRealAplay:
    def test_it_plays_into_a_file(self, tmp_path: Path) -> None:
        """ALSA's own file plugin: what would have gone to the card."""
        raw = tmp_path / "played.raw"
        driver = load(f"sound:alsa:file:{raw},raw", "speaker")
        assert isinstance(driver, Speaker)
        driver.open()
        driver.play(tone("rise"))
        wait_until(lambda: driver.poll(0.2))
        driver.close()
        wanted = struct.pack(f"<{len(samples(tone('rise')))}h", *samples(tone("rise")))
        played = raw.read_bytes()
        assert played.startswith(wanted) and not any(played[len(wanted) :]), "filled up to a whole period"

    def test_a_card_that_does_not_exist_is_lost_in_alsas_own_words(self) -> None:
        driver = load("sound:alsa:nosuchcard", "speaker")
        with pytest.raises(DeviceLost, match="No such file"):
            driver.open()
        driver.close()


class TestWords:
    def test_without_speech_there_is_the_tone_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        sounds = Sounds(tmp_path / "state", speak=frozenset(Signal))
        for signal in Signal:
            assert lasts_s(sounds.clip(signal)) < 1.0

    @pytest.mark.skipif(not voice.installed(), reason="espeak-ng is not installed: apt install espeak-ng")
    def test_words_follow_the_tone_and_are_rendered_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        state = tmp_path / "state"
        state.mkdir()
        first = Sounds(state, speak=frozenset({Signal.LOOK}))
        clip = first.clip(Signal.LOOK)
        assert LONGEST_CLIP_S > lasts_s(clip) > lasts_s(tone("level")) + 0.5
        assert lasts_s(first.clip(Signal.GRANTED)) < 0.5, "only what the school wants to hear"
        assert len(list((state / "sounds").iterdir())) == 1
        monkeypatch.setenv("PATH", str(tmp_path))  # espeak-ng is gone
        assert Sounds(state, speak=frozenset({Signal.LOOK})).clip(Signal.LOOK) == clip

    @pytest.mark.skipif(not voice.installed(), reason="espeak-ng is not installed: apt install espeak-ng")
    def test_half_a_file_is_rendered_again(self, tmp_path: Path) -> None:
        Sounds(tmp_path, speak=frozenset(Signal)).clip(Signal.LOOK)
        [kept] = (tmp_path / "sounds").iterdir()
        kept.write_bytes(b"RIFF")
        assert lasts_s(Sounds(tmp_path, speak=frozenset(Signal)).clip(Signal.LOOK)) > 1.0


def test_the_simulated_player_takes_a_clip_from_any_program(card: SimulatedSpeaker) -> None:
    subprocess.run([str(card.program)], input=tone("tick"), check=True, timeout=SOON_S)
    assert card.whole() == [tone("tick")]
