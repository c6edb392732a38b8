"""Texts that a page must show, and must not be harmed by.

Each would be seen to run: it alerts, or asks for something.
"""

from __future__ import annotations

from typing import Final

LONG: Final = 20_000
TEXTS: Final = {
    "script": "<script>alert('script')</script>",
    "end of a script": "</script><script>alert('end')</script>",
    "image": '<img src="/pwned" onerror="alert(1)">',
    "image elsewhere": "<img src=//elsewhere.test/pwned>",
    "svg": "<svg onload=alert('svg')><animate onbegin=alert('begin') attributeName=x>",
    "frame": "<iframe srcdoc=\"<script>parent.alert('frame')</script>\"></iframe>",
    "style": "<style>*{display:none!important}</style>",
    "base": '<base href="http://elsewhere.test/">',
    "meta": '<meta http-equiv="refresh" content="0;url=http://elsewhere.test/">',
    "form": '<form action="//elsewhere.test/"><input name=key autofocus onfocus=alert(1)>',
    "attribute": '" autofocus onfocus="alert(\'attribute\')" x="',
    "single quotes": "' onmouseover='alert(1)",
    "link": "javascript:alert('link')",
    "data": "data:text/html,<script>alert('data')</script>",
    "template": "{{constructor.constructor('alert(1)')()}} ${alert(1)} #{7*7} <%= 7*7 %>",
    "comment": "<!-- --><!--> <!--<script>alert(1)//",
    "entities": "&lt;script&gt;alert('entities')&lt;/script&gt; &#x3c;b&#x3e; &amp;amp;",
    "right to left": "\u202eגרב\u202c مرحبا \u2067abc\u2069 \u202etxt.exe",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 🇦🇶 👍🏿 ⚓🚢",
    "combined": "Z̸̢̛̝a̶͚͗l̵̰̈́g̷̱͝o̴̙͑ " + "e" + "\u0301" * 200,
    "invisible": "a\u200b\u200d\ufeff\u00ad\u2028\u2029b",
    "controls": "bell\u0007 escape\u001b[31mred\u001b[0m backspace\u0008 tab\tend",
    "lines": "one\ntwo\r\nthree\n\n\n" + "\n" * 200 + "last",
    "one word": "x" * 5_000,
    "long": "word " * (LONG // 5),
    "number": "9007199254740993",
    "prototype": "__proto__",
    "empty": "",
    "spaces": "   leading and trailing   ",
    "path": "../../etc/passwd?x=1#/jobs/%2e%2e%2f%00",
}
"""By what is bad about them."""
