"""The process that computes: it answers, it is given up when it hangs, and its end is a sentence and not a crash of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.face import process as process_module
from kiosk.face.engine import EngineUnusable
from kiosk.face.process import EngineProcess

NOWHERE = Path("/nonexistent")


def test_it_answers_is_given_up_when_it_hangs_and_comes_back(drawing: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dlib", reason="install campus-kiosk[face]")
    dlib_process = EngineProcess("dlib", NOWHERE)
    try:
        told = dlib_process.look(drawing)
        assert (told.refusal, len(told.vector)) == ("", 128 * 4)
        assert dlib_process.look(b"no picture").refusal == "no_face"
        monkeypatch.setattr(process_module, "ANSWER_WITHIN_S", 0.0)  # nobody answers in no time: as far as we know it hangs
        with pytest.raises(EngineUnusable, match="ended or gave no answer"):
            dlib_process.look(drawing)
        monkeypatch.setattr(process_module, "ANSWER_WITHIN_S", 60.0)
        with pytest.raises(EngineUnusable, match="ended or gave no answer"):  # not tried again at once
            dlib_process.look(drawing)
        monkeypatch.setattr(process_module, "AGAIN_AFTER_S", 0.0)
        assert dlib_process.look(drawing).vector == told.vector
    finally:
        dlib_process.close()


def test_without_weights_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="install campus-kiosk[face]")
    process = EngineProcess("sface", tmp_path)
    with pytest.raises(EngineUnusable, match="is missing: bring it with `kiosk models add"):
        process.open()
    assert "kiosk models add" in process.trouble
    process.close()
