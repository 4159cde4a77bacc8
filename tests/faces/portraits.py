"""Drawn people: a portrait for every number, so that pages with photos can be looked at without anybody's photo."""

from __future__ import annotations

SKIN = ("#f2cfb0", "#eac09c", "#f6d9bf", "#e3b48d")
HAIR = ("#1d1a1a", "#2a211d", "#332a25", "#151518")
GROUND = ("#cfe0ea", "#dfe6d5", "#eadfd0", "#d9d6e8", "#d3e6e0")
CLOTHES = ("#2d5f8b", "#8b3a3a", "#3c7a5f", "#5b5578", "#b0762b")
OLD_FROM = 5_000  # collectors


def portrait(number: int, *, live: bool = False) -> str:
    """An SVG of 300 by 400. `live`: a little turned and darker, as a gate camera sees it."""
    adult = number >= OLD_FROM
    skin, ground = SKIN[number % 4], "#8f9a98" if live else GROUND[number % 5]
    hair = "#8f8f8d" if adult and number % 10 in (1, 2) else HAIR[(number // 3) % 4]
    clothes = CLOTHES[(number // 2) % 5] if adult else "#f7f7f4"
    girl = number % 2 == 0
    turn = ' transform="rotate(-4 150 200) translate(-8 6)"' if live else ""
    long_hair = f'<path d="M78 180c-14 90-8 150 4 176h136c12-26 18-86 4-176z" fill="{hair}"/>' if girl else ""
    fringe = (
        "M84 168c-6-74 34-104 66-104s72 30 66 104c-10-30-26-44-40-48-30 10-66 8-92 48z"
        if girl
        else "M86 160c-8-66 30-96 64-96s72 30 64 96c-6-22-12-32-20-38-32 4-70 2-88 2-10 8-16 18-20 36z"
    )
    scarf = "" if adult else '<path d="M112 322l38 34 38-34 10 14-48 44-48-44z" fill="#c8322b"/>'
    lines = '<path d="M122 214q-8 4-10 12M178 214q8 4 10 12" stroke="#b08865" stroke-width="3" fill="none"/>' if adult else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 400">'
        f'<rect width="300" height="400" fill="{ground}"/><g{turn}>{long_hair}'
        f'<path d="M40 400c4-62 46-86 110-86s106 24 110 86z" fill="{clothes}"/>'
        f'<path d="M122 270h56v48c-10 18-46 18-56 0z" fill="{skin}"/>'
        f'{scarf}<ellipse cx="150" cy="190" rx="64" ry="78" fill="{skin}"/><path d="{fringe}" fill="{hair}"/>'
        '<g fill="#2a2320"><circle cx="125" cy="192" r="6"/><circle cx="175" cy="192" r="6"/></g>'
        f'<path d="M132 234q18 {14 if number % 3 else 9} 36 0" stroke="#a2543f" stroke-width="5" '
        'fill="none" stroke-linecap="round"/>'
        f'<path d="M150 198q-5 14 2 18" stroke="#c99872" stroke-width="4" fill="none"/>{lines}</g></svg>'
    )
