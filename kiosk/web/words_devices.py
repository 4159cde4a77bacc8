"""Words of the office page about devices: what each is, and what became of a try."""

from __future__ import annotations

from typing import Final

# key -> (Chinese, English)
DEVICES: Final[dict[str, tuple[str, str]]] = {
    "devices.lead": (
        "每台设备都可以试一下：刷的卡不记录，画面不保存；闭合触点会记下是谁做的。",
        "Every device can be tried: the card is not recorded, no picture is kept; who closed a contact is on record.",
    ),
    "devices.empty_more": (
        "设备写在 site.toml 里；运行 kiosk doctor 会列出插着的设备。",
        "Devices are named in site.toml; `kiosk doctor` lists what is plugged in.",
    ),
    "devices.try": ("试一试", "Try"),
    "devices.try_again": ("再试一次", "Try again"),
    "devices.not_now": ("恢复后才能试", "Can be tried when it works again"),
    "devices.kind_reader": ("读卡器", "Reader"),
    "devices.kind_relay": ("继电器", "Relay"),
    "devices.kind_camera": ("摄像头", "Camera"),
    "devices.kind_printer": ("打印机", "Printer"),
    "devices.kind_speaker": ("音响", "Sound"),
    "devices.sure": (
        "触点会闭合半秒，它接着的门可能打开。确定吗？",
        "The contact closes for half a second; the door on it may open. Sure?",
    ),
    "devices.close_contact": ("闭合触点 {n}", "Close contact {n}"),
    "devices.cancel": ("取消", "Cancel"),
    "devices.listening": ("请现在刷卡……还有 {n} 秒", "Present a card now … {n} s left"),
    "devices.listening_more": (
        "刷到的第一张卡只显示、不记录；之后照常。",
        "The first card is shown and not recorded; after it, all is as usual.",
    ),
    "devices.read": ("读到了", "Read"),
    "devices.read_kept": ("读到了，并照常记录（终端自己存有记录）", "Read, and recorded as usual: the terminal stores it itself"),
    "devices.nobody": (
        "15 秒内没有读到卡。换一张卡，或检查读卡器的位置。",
        "No card was read in 15 s. Use another card, or check the reader.",
    ),
    "devices.closed": ("触点已闭合半秒，已记入记录。", "The contact was closed for half a second; it is on record."),
    "devices.picture": ("现在的画面（不保存）", "The picture now (not kept)"),
    "devices.no_picture": ("没有拿到新画面", "No fresh picture"),
    "devices.printing": ("测试条正在打印", "The test slip is being printed"),
    "devices.printed": ("测试条已打印", "The test slip is printed"),
    "devices.kept": ("打印机停了，恢复后会打印", "The printer has stopped; the slip follows when it is back"),
    "devices.full": ("打印机还有太多没打的，稍后再试", "Too much waits at the printer; try again later"),
    "devices.played": ("已播放测试音", "The test tone was played"),
    "devices.down": ("现在不能试：设备没有连接", "Cannot be tried now: the device is not connected"),
    "devices.scheme_uid": ("卡号（UID）", "card UID"),
    "devices.scheme_em4100": ("125 kHz 卡号", "125 kHz tag"),
    "devices.scheme_number": ("印刷号", "printed number"),
    "devices.scheme_qr": ("二维码", "code"),
    "devices.scheme_face": ("人脸", "face"),
    "devices.scheme_pin": ("编号", "number at the terminal"),
}
