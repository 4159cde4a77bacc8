"""Words of the office page 登记卡. Why a card is not enrolled is said in `kiosk.enrolling`, for pages and terminals alike."""

from __future__ import annotations

from typing import Final

from kiosk.enrolling import WORDS

# key -> (Chinese, English)
CARDS: Final[dict[str, tuple[str, str]]] = {
    "office.enrol": ("登记卡", "Enrol a card"),
    "enrol.lead": (
        "选读卡器，按“刷卡”后 20 秒内刷卡；或把卡号填进来（USB 读卡器会自己填）。",
        "Choose a reader, press “Tap” and tap within 20 seconds; or put the number in (a USB reader types it).",
    ),
    "enrol.reader": ("读卡器", "Reader"),
    "enrol.number": ("卡号（不刷卡时填）", "Card number, instead of a tap"),
    "enrol.tap": ("刷卡", "Tap"),
    "enrol.no_tap": ("没有等到刷卡，请再试一次。", "No card came: try again."),
    "enrol.card": ("卡号 {uid}", "Card {uid}"),
    "enrol.spellings": ("这张卡的各种写法", "Every way this number is written"),
    "enrol.of_nobody": ("还没有人用这张卡", "Nobody has this card yet"),
    "enrol.of": ("现在是 {name} 的卡（{state}）", "{name} has this card ({state})"),
    "enrol.person": ("学号、工号或接送人编号", "Number of the pupil, staff or collector"),
    "enrol.kind": ("卡种", "Kind of card"),
    "enrol.kind_any": ("不填", "not said"),
    "enrol.kind_m1": ("M1 卡", "M1"),
    "enrol.kind_id": ("ID 卡（125 kHz）", "ID (125 kHz)"),
    "enrol.kind_cpu": ("CPU 卡", "CPU"),
    "enrol.kind_sun": ("防复制卡（NTAG 424）", "signing card (NTAG 424)"),
    "enrol.kind_other": ("其他", "other"),
    "enrol.replace": ("旧卡停用", "The old card stops working"),
    "enrol.give": ("登记给此人", "Give it to this person"),
    "enrol.given": ("已登记给 {name}，名单编号 {n}。", "{name} has this card now, in people list {n}."),
    "enrol.back": ("退卡", "Give back"),
    "enrol.backed": ("{uid} 已从 {name} 退卡。", "{uid} is no longer {name}'s."),
    "enrol.next": ("登记下一张", "Enrol another"),
    **{f"enrol.{no.value}": words for no, words in WORDS.items()},
}
