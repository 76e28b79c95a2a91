"""The page that shows a comparison: plain HTML that needs nothing else."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import NamedTuple

from intriguing.tables.html import STYLE
from intriguing.workflow.compare.causes import Cause, Found
from intriguing.workflow.compare.cells import Number, Pair, Pairs

MORE_STYLE = """
table { margin: .5rem 0 1rem }
th { min-width: 0; font-weight: 600 }
td, tbody th { padding: .2rem .7rem; min-width: 0; vertical-align: top }
tbody th { font-weight: 400; max-width: 32rem }
.apart { background: #fde7d3; font-weight: 600 }
.interval { color: #555; white-space: nowrap }
h2 { margin: 2rem 0 .3rem }
ol, ul { max-width: 70rem } li { margin: .25rem 0 }
code { font-size: .92em; overflow-wrap: anywhere }
details { margin: .5rem 0 } summary { cursor: pointer; color: #444 }
"""
JOBS_SHOWN = 6
# What a cause is shown as: a rule's code, and so on.
KINDS = {"new": "output", "bytes": "result"}


class Section(NamedTuple):
    """A table, or the claims: its pairs and what is upstream of the changed ones.

    ``labels`` says what to show instead of a pair's name.
    """

    name: str
    pairs: Pairs
    causes: Found
    labels: Mapping[tuple[str, ...], str]


def comparison_page(
    title: str,
    sides: tuple[str, str],
    notes: Iterable[str],
    sections: list[Section],
) -> str:
    """Return the whole page.

    Args:
        title: Heading.
        sides: What each of the two runs is, the base first.
        notes: Sentences about what the comparison rests on.
        sections: The claims and each table.
    """
    causes = _merged(section.causes for section in sections)
    numbers = {cause: k for k, cause in enumerate(causes, 1)}
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>Base: {escape(sides[0])}<br>Here: {escape(sides[1])}</p>",
        _summary(sections),
        *(f"<p>{escape(note)}</p>" for note in notes),
        _cause_list(causes),
        *(_section(section, numbers) for section in sections),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{STYLE}{MORE_STYLE}</style></head>"
        f"<body>\n{chr(10).join(parts)}\n</body></html>\n"
    )


def _merged(many: Iterable[Found]) -> Found:
    merged: Found = {}
    for found in many:
        for cause, jobs in found.items():
            known = merged.setdefault(cause, [])
            known += [job for job in jobs if job not in known]
    return merged


def _summary(sections: list[Section]) -> str:
    """One line a section: how many numbers changed, and how much that means."""
    head = ("", "numbers", "changed", "intervals apart", "other verdict", "new", "gone")
    lines = []
    for name, pairs, *_ in sections:
        both = [pair for pair in pairs if pair.base and pair.now]
        counts = (
            len(pairs),
            sum(pair.is_changed for pair in both),
            sum(pair.overlap is False for pair in both),
            sum(pair.base.verdict != pair.now.verdict for pair in both),
            sum(not pair.base for pair in pairs),
            sum(not pair.now for pair in pairs),
        )
        link = f'<a href="#{escape(name)}">{escape(name)}</a>'
        cells = "".join(f"<td>{count}</td>" for count in counts)
        lines.append(f'<tr><th scope="row">{link}</th>{cells}</tr>')
    return _table(head, lines)


def _cause_list(causes: Found) -> str:
    if not causes:
        return ""
    items = "\n".join(_cause(k, *one) for k, one in enumerate(causes.items(), 1))
    return f"<h2>What differs upstream</h2>\n<ol>\n{items}\n</ol>"


def _cause(number: int, cause: Cause, jobs: list[str]) -> str:
    rule = f" of <code>{escape(cause.rule)}</code>" if cause.rule else ""
    kind = KINDS.get(cause.kind, cause.kind)
    named = sorted(job for job in jobs if job)
    where = ", ".join(named[:JOBS_SHOWN])
    if len(named) > JOBS_SHOWN:
        where += f" and {len(named) - JOBS_SHOWN} more"
    where = f" ({escape(where)})" if where else ""
    text = f"<code>{escape(cause.text)}</code>"
    return f'<li id="cause-{number}">{kind}{rule}{where}: {text}</li>'


def _section(section: Section, numbers: Mapping[Cause, int]) -> str:
    changed = [pair for pair in section.pairs if pair.is_changed]
    same = [pair for pair in section.pairs if not pair.is_changed]
    parts = [f'<h2 id="{escape(section.name)}">{escape(section.name)}</h2>']
    if changed:
        upstream = _links(section.causes, numbers)
        parts += [_pairs(changed, section, upstream)]
    else:
        parts += ["<p>Nothing changed.</p>"]
    if same:
        count = f"{len(same)} unchanged"
        rows = _pairs(same, section, "")
        parts += [f"<details><summary>{count}</summary>{rows}</details>"]
    return "\n".join(parts)


def _links(causes: Found, numbers: Mapping[Cause, int]) -> str:
    known = sorted(numbers[cause] for cause in causes)
    return ", ".join(f'<a href="#cause-{k}">{k}</a>' for k in known) or "not known"


def _pairs(pairs: Pairs, section: Section, upstream: str) -> str:
    names = ("row", "column") if len(pairs[0].name) == 2 else ("claim",)
    head = (*names, "base", "here", "change", "intervals", "verdict")
    head += ("upstream",) if upstream else ()
    return _table(head, [_pair(pair, section, upstream) for pair in pairs])


def _pair(pair: Pair, section: Section, upstream: str) -> str:
    label = section.labels.get(pair.name)
    texts = [label] if label else pair.name
    names = "".join(f'<th scope="row">{escape(part)}</th>' for part in texts)
    overlap = {True: "overlap", False: "apart", None: "--"}[pair.overlap]
    cells = [
        _number(pair.base),
        _number(pair.now),
        "--" if pair.change is None else f"{pair.change:+.3g}",
        overlap,
        _verdicts(pair),
        *([upstream] if upstream else []),
    ]
    kind = ' class="apart"' if overlap == "apart" else ""
    return f"<tr{kind}>{names}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _number(one: Number | None) -> str:
    if one is None:
        return "not there"
    if one.value is None:
        return "--"
    ends = (one.low, one.high)
    if None in ends:
        return f"{one.value:.4g}"
    interval = f"[{one.low:.4g}, {one.high:.4g}]"
    return f'{one.value:.4g} <span class="interval">{interval}</span>'


def _verdicts(pair: Pair) -> str:
    both = [one.verdict for one in (pair.base, pair.now) if one and one.verdict]
    return " → ".join(escape(verdict) for verdict in dict.fromkeys(both)) or "--"


def _table(head: Iterable[str], rows: Iterable[str]) -> str:
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "\n".join(rows)
    return f"<table><thead><tr>{names}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
