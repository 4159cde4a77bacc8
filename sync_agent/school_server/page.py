"""The status page: one small HTML document, numbers and names of nodes only. No entry's content is ever shown here."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

from sync_agent import protocol
from sync_agent.school_server.delivery import DeliveryState
from sync_agent.school_server.store import SetAside, Totals

STREAMS_SHOWN: Final = 50
SET_ASIDE_SHOWN: Final = 50
REFRESH_S: Final = 5

_STYLE: Final = (
    "body{font-family:system-ui,'Noto Sans CJK SC',sans-serif;margin:2rem;color:#1a1a1a;background:#fff}"
    "h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}small{color:#555;font-weight:normal}"
    "table{display:block;overflow-x:auto;border-collapse:collapse}"
    "td,th{padding:.35rem .9rem;text-align:left;border-bottom:1px solid #ccc}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}.alarm{color:#a00000;font-weight:bold}"
)
_STYLE_SHA256: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_SHA256}'; frame-ancestors 'none'; base-uri 'none'"
)


def render(status: protocol.ServerStatus, aside: Sequence[SetAside], telling: Telling) -> str:
    """The whole page for one school."""
    now_ms = status.server_now_ms
    number = status.directory.number if status.directory else None
    parts = [
        "<!doctype html><html lang='zh-CN'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>",
        f"<meta http-equiv='refresh' content='{REFRESH_S}'><title>学校服务器 School server</title>",
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>学校服务器 <small>School server</small> · {escape(status.school)}</h1>",
        "<p>这里只存事实，不评判事实。 <small>This server stores facts; it does not judge them.</small></p>",
        _alarm(status, telling, aside),
        "<h2>总数 <small>Totals</small></h2>",
        _table(
            ("", ""),
            [
                ("已存记录 <small>entries stored</small>", str(status.entries)),
                ("无法读取 <small>quarantined</small>", str(status.quarantined)),
                ("分叉 <small>forked</small>", str(status.forks)),
                ("名单编号 <small>directory</small>", "—" if number is None else str(number)),
                ("存储 <small>store</small>", escape(status.store)),
            ],
        ),
        "<h2>校门节点 <small>Nodes</small></h2>",
        _table(
            ("节点 <small>node</small>", "最近联系 <small>last contact</small>"),
            [(_node(seen, now_ms), _ago(seen.last_contact_ms, now_ms)) for seen in status.nodes],
        ),
        "<h2>记录流 <small>Streams</small></h2>",
        _table(
            (
                "节点 <small>node</small>",
                "启动 <small>incarnation</small>",
                "已存至 <small>durable through</small>",
                "无法读取 <small>quarantined</small>",
                "最近收到 <small>last received</small>",
            ),
            [_stream(stream, now_ms) for stream in status.streams[:STREAMS_SHOWN]],
        ),
        "<h2>待人工查看 <small>Set aside for a person</small></h2>",
        _table(
            ("记录 <small>entry</small>", "原因 <small>why</small>", "收到 <small>received</small>"),
            [
                (
                    escape(f"{item.node}/{item.incarnation}/{item.seq}"),
                    escape(item.reason),
                    _ago(item.received_ms, now_ms),
                )
                for item in aside
            ],
        ),
        telling.html,
        "</body></html>",
    ]
    return "".join(parts)


class Telling(NamedTuple):
    """What the page says of the school's other system; "" where there is none and never was. alarm: a person has to look."""

    html: str
    alarm: bool


def telling(delivery: DeliveryState | None, refused: Sequence[SetAside], now_ms: int) -> Telling:
    """What it has been told, what holds that up, and what it would not take."""
    if delivery is None and not refused:
        return Telling("", False)
    parts = ["<h2>推送到其他系统 <small>Sent to the other system</small></h2>"]
    if delivery is not None and delivery.problem:
        parts.append(f"<p class='alarm'>推送受阻 <small>held up</small>: {escape(delivery.problem)}</p>")
    if delivery is not None:
        parts.append(
            _table(
                ("", ""),
                [
                    ("本次启动已送 <small>events since start</small>", str(delivery.sent)),
                    ("最近送达 <small>last delivered</small>", _ago(delivery.last_ms, now_ms)),
                ],
            )
        )
    if refused:
        parts.append("<p class='alarm'>对方拒收，需人工查看： <small>refused there, a person has to look:</small></p>")
        rows = [(escape(f"{r.node}/{r.incarnation}/{r.seq}"), escape(r.reason), _ago(r.received_ms, now_ms)) for r in refused]
        parts.append(_table(("记录 <small>entry</small>", "原因 <small>why</small>", "时间 <small>when</small>"), rows))
    return Telling("".join(parts), bool(refused or (delivery is not None and delivery.problem)))


def render_schools(totals: Mapping[str, Totals]) -> str:
    """Of a server for several schools: which there are, and where a person has to look."""
    rows = []
    for school, of_school in totals.items():
        aside = of_school.quarantined + of_school.forks
        link = f"<a href='/?school={escape(school)}'>{escape(school)}</a>"
        rows.append((link, str(of_school.entries), f"<span class='alarm'>{aside}</span>" if aside else "0"))
    head = ("学校 <small>school</small>", "已存记录 <small>entries stored</small>", "待人工查看 <small>set aside</small>")
    return (
        "<!doctype html><html lang='zh-CN'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<meta http-equiv='refresh' content='{REFRESH_S}'><title>学校服务器 School server</title><style>{_STYLE}</style></head>"
        f"<body><h1>学校服务器 <small>School server</small></h1>{_table(head, rows)}</body></html>"
    )


def _alarm(status: protocol.ServerStatus, telling: Telling, aside: Sequence[SetAside]) -> str:
    lines = []
    if revoked := [seen.node for seen in status.nodes if seen.revoked_ms is not None]:
        lines.append(
            f"<p class='alarm'>已吊销的校门机：{escape('、'.join(revoked))}。它照常记录，这里不再接收。"
            " <small>Revoked: it goes on recording, and is refused here.</small></p>"
        )
    if telling.alarm or aside:
        lines.append("<p class='alarm'>需要人工查看：见下方。 <small>A person has to look: see below.</small></p>")
    elif status.quarantined or status.forks:
        lines.append(
            "<p class='alarm'>有记录需要人工查看：见下方。 <small>Some entries need a person's look: see below.</small></p>"
        )
    return "".join(lines) or "<p>一切正常。 <small>All is well.</small></p>"


def _node(seen: protocol.NodeSeen, now_ms: int) -> str:
    if seen.revoked_ms is None:
        return escape(seen.node)
    return f"{escape(seen.node)} <span class='alarm'>已吊销 revoked</span> {_ago(seen.revoked_ms, now_ms)}"


def _stream(stream: protocol.StreamState, now_ms: int) -> tuple[str, ...]:
    fork = " <span class='alarm'>分叉 fork</span>" if stream.forked else ""
    return (
        escape(stream.node) + fork,
        escape(stream.incarnation),
        str(stream.durable_through),
        str(stream.quarantined),
        _ago(stream.last_received_ms, now_ms),
    )


def _ago(at_ms: int | None, now_ms: int) -> str:
    if at_ms is None:
        return "未联系 <small>not since start</small>"
    seconds = max(0, now_ms - at_ms) // 1000
    if seconds < 60:
        return f"{seconds} 秒前 <small>{seconds} s ago</small>"
    if seconds < 3600:
        return f"{seconds // 60} 分钟前 <small>{seconds // 60} min ago</small>"
    return f"{seconds // 3600} 小时前 <small>{seconds // 3600} h ago</small>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    top = "<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>" if any(head) else ""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{top}{body}</table>" if body else "<p>无 <small>none</small></p>"
