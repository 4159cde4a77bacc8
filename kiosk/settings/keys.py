"""Every setting there is: which file, which table, which key, of which kind, and what it means.

`docs/settings.md` is printed from here, so a setting cannot exist without its line in the manual.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kiosk.core.signals import Signal
from kiosk.settings.keys_days import CALENDAR, LADDER, PLAN
from kiosk.settings.keys_school import SCHOOL
from kiosk.settings.schema import Key, Kind, Section, Shape

SIGNALS: Final = tuple(signal.value for signal in Signal)

_NODE = Section(
    "node",
    Shape.ONE,
    "本机",
    "This gate computer.",
    required=True,
    keys=(
        Key("id", Kind.ID, "本机代码，全校唯一", "this computer's id, unique in the school"),
        Key("gate", Kind.TEXT, "所在校门，空为与本机代码同名", "its gate, empty = the gate of the same id", ""),
        Key("serves", Kind.TEXTS, "本机负责哪些校门的学生，空为全部", "gates whose children it watches over; empty = all", ()),
        Key("host", Kind.TEXT, "监听地址", "address to listen on", "127.0.0.1"),
        Key("port", Kind.NUMBER, "监听端口", "port to listen on", 8470, low=1, high=65535),
        Key(
            "office", Kind.FLAG, "有学校服务器时：本机是办公室所用的，到期人员从这里的名单中删除（全校一台）",
            "with a school server: the office imports here, and people past their time go from this list (one computer)", False,
        ),
    ),
)

_DEVICE = Section(
    "device",
    Shape.MANY,
    "设备",
    "A device that is connected to this computer.",
    keys=(
        Key("name", Kind.ID, "名称，本机唯一", "name, unique on this computer"),
        Key("url", Kind.TEXT, "驱动与地址", "driver and address, such as rdm6300:/dev/serial/by-id/usb-..."),
        Key("access_point", Kind.TEXT, "读卡器所在通行点", "the access point of a reader", ""),
        Key("options", Kind.TABLE, "驱动的其他选项", "further options of the driver", {}),
    ),
)

_ACCESS = Section(
    "access",
    Shape.NAMED,
    "通行点上的闸机与摄像头，段名即通行点代码",
    "Barrier and camera of an access point; the name of the table is its id.",
    keys=(
        Key("relay", Kind.TEXT, "继电器设备名", "device name of the relay board", ""),
        Key("relay_channel", Kind.NUMBER, "继电器通道", "its channel", 1, low=1, high=64),
        Key("pulse_s", Kind.DECIMAL, "开闸保持（秒）", "how long the barrier stays open", 3.0, low=0.1, high=60),
        Key("camera", Kind.TEXT, "摄像头设备名", "device name of the camera", ""),
        Key("turn_sensor", Kind.TEXT, "过闸信号接在哪个设备，空为不检测", "device name of its turn signal, empty = none", ""),
        Key("turn_input", Kind.NUMBER, "过闸信号接在哪个输入端", "the input of the turn signal", 1, low=1, high=32),
        Key("turn_within_s", Kind.DECIMAL, "放行后几秒未通过则撤回", "an unused passage is taken back then", 8.0, low=2, high=60),
    ),
)

_SIGNAL = Section(
    "signal",
    Shape.MANY,
    "灯和蜂鸣器",
    "A lamp or a beeper on a contact of a relay board: what it shows of the answers at an access point.",
    keys=(
        Key("access_point", Kind.TEXT, "通行点", "the access point"),
        Key("relay", Kind.TEXT, "继电器设备名", "device name of the relay board"),
        Key("channel", Kind.NUMBER, "继电器通道", "its channel, not one that opens a door", low=1, high=64),
        Key("kind", Kind.TEXT, "类型：蜂鸣器或灯", "what it is", "beeper", choices=("beeper", "lamp")),
        Key("answers", Kind.TEXTS, "表示哪些结果", "which answers it gives", SIGNALS, choices=SIGNALS),
    ),
)

_SOUND = Section(
    "sound",
    Shape.ONE,
    "声音",
    "Tones and words from a loudspeaker; without this table the computer is silent. Names are never spoken.",
    keys=(
        Key("device", Kind.TEXT, "音箱设备名", "device name of the loudspeaker"),
        Key("access_points", Kind.TEXTS, "哪些通行点，空为本机全部", "at which access points, empty = all of this computer", ()),
        Key("speak", Kind.TEXTS, "哪些结果也说话（需要 espeak-ng）", "answers that are spoken too", (), choices=SIGNALS),
    ),
)

_PRINT = Section(
    "print",
    Shape.ONE,
    "打印清点名单",
    "Where lists are printed. A printer is a device with a URL such as escpos:tcp://10.0.0.50:9100.",
    keys=(
        Key("device", Kind.TEXT, "打印机设备名，空为本机全部打印机", "device name of the printer, empty = all of them", ""),
        Key("emergency", Kind.FLAG, "紧急疏散和演练时自动打印名单", "print the list in an emergency and in a drill", True),
    ),
)

_SYNC = Section(
    "sync",
    Shape.ONE,
    "学校服务器",
    "The school server.",
    keys=(
        Key("server", Kind.TEXT, "地址，空为不同步", "its address, empty = none", ""),
        Key("school", Kind.TEXT, "学校代码，空为 school.id", "the school's id there, empty = school.id", ""),
        Key("ca_file", Kind.TEXT, "校园根证书文件，空为系统所信的", "campus CA for https, empty = what the system believes", ""),
    ),
)

_WEB = Section(
    "web",
    Shape.ONE,
    "网页",
    "The pages.",
    keys=(
        Key("idle_min", Kind.NUMBER, "无操作几分钟后退出登录", "minutes from the last press to sign-out", 15, low=1, high=240),
        Key(
            "public_input_from",
            Kind.TEXTS,
            "无须登录即可刷卡、报座号的网段，即本校门的屏幕",
            "networks whose screens may give cards and seats without a sign-in: this gate's own",
            ("127.0.0.0/8", "::1/128"),
        ),
        Key("https", Kind.FLAG, "网页经 https 提供", "the pages are served over https", False),
        Key("keep_pictures_days", Kind.NUMBER, "抓拍保留天数", "days that snapshots are kept", 30, low=1, high=365),
    ),
)

_DISK = Section(
    "disk",
    Shape.ONE,
    "磁盘",
    "The disk of this computer: what stops when it fills, and what is kept for the last moment.",
    keys=(
        Key(
            "ballast_mib", Kind.NUMBER, "为最后关头预留多少 MiB，0 为不留",
            "MiB kept so that a full disk still saves the tap in hand, 0 = none", 32, high=4096,
        ),
        Key(
            "pictures_stop_percent", Kind.NUMBER, "磁盘用到百分之几时停存照片", "per cent of the disk at which pictures stop", 90,
            low=50, high=99,
        ),
        Key(
            "keep_records_days", Kind.NUMBER, "服务器已保存的记录在本机再留几天，至少 30，0 为一直",
            "days that records which the school server holds stay here too, at least 30; 0 = for ever", 0, high=36_500,
        ),
    ),
)  # fmt: skip

_FACE = Section(
    "face",
    Shape.ONE,
    "人脸辅助，默认关闭；先看 docs/face.md",
    "Faces as help for the guard, off by default; read docs/face.md first.",
    keys=(
        Key("on", Kind.FLAG, "是否比对人脸；只比对家长同意的学生", "compare faces, of pupils whose family agreed only", False),
        Key("engine", Kind.TEXT, "引擎", "the engine", "dlib", choices=("dlib", "sface")),
        Key("clear", Kind.DECIMAL, "相符的门槛，0 为引擎默认", "from here on the photo fits, 0 = the engine's", 0.0, high=1),
        Key("mismatch", Kind.DECIMAL, "请核对的门槛，0 为引擎默认", "below it somebody looks, 0 = the engine's", 0.0, high=1),
        Key("claims", Kind.FLAG, "没带卡进校，相符即登记", "without a card: a clear match records the arrival", True),
        Key("candidates", Kind.FLAG, "无人可认时，给门卫看可能是谁", "nobody was named: show the guard who it may be", False),
    ),
)  # fmt: skip

SITE: Final = Section(
    "", Shape.ONE, "本机与设备", "This computer and its devices.", (),
    (_NODE, _DEVICE, _ACCESS, _SIGNAL, _SOUND, _PRINT, _SYNC, _WEB, _DISK, _FACE),
)

FILES: Final[Mapping[str, Section]] = {
    "school.toml": SCHOOL,
    "calendar.toml": CALENDAR,
    "plan.toml": PLAN,
    "ladder.toml": LADDER,
    "site.toml": SITE,
}
