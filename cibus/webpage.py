"""A web page that needs no script, and asks no address for anything."""

from __future__ import annotations

import html

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
STYLE = """
:root{--ink:#1c2024;--soft:#5a6470;--ground:#fff;--box:#f4f6f8;--error:#b3141c;--warning:#8a5a00;--fine:#1d7a3c;--line:#2a6fb0}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8ea;--soft:#a3adb8;--ground:#15181b;--box:#1f2327;--error:#ff8080;--warning:#f0b849;--fine:#74cf8f;--line:#74b3ea}}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1rem;color:var(--ink);background:var(--ground)}
h1{font-size:1.35rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.8rem 0 .5rem}a{color:var(--line)}
.soft{color:var(--soft)}.error{color:var(--error)}.warning{color:var(--warning)}.fine{color:var(--fine)}
ul.findings{list-style:none;padding:0;margin:0}
ul.findings li{background:var(--box);border-left:.35rem solid var(--warning);margin:.5rem 0;padding:.5rem .8rem;overflow-wrap:anywhere}
ul.findings li.error{border-color:var(--error);color:inherit}ul.findings li.warning{color:inherit}
.trends{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr));gap:.8rem}
figure{margin:0;background:var(--box);padding:.5rem .8rem}figcaption{font-size:.9rem}svg{width:100%;height:4rem;display:block}
.wide{overflow-x:auto}table{border-collapse:collapse}td,th{text-align:left;padding:.15rem 1.2rem .15rem 0;font-weight:400;vertical-align:top}th{color:var(--soft)}
td.number,th.number{text-align:right}pre{background:var(--box);padding:.6rem .8rem;overflow-x:auto}code{font-size:.95em}
"""


def frame(title: str, body: str, refresh: int = 0) -> str:
    """A whole page; ``refresh``: seconds after which the browser asks again, 0: never."""
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">{again}'
        f'<title>{escaped(title)}</title><link rel="icon" href="data:,"><style>{STYLE}</style></head><body>{body}</body></html>\n'
    )


def escaped(value: object) -> str:
    """A value as text in HTML."""
    return html.escape(str(value))
