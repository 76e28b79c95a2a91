"""The page that shows a comparison: plain HTML without other files."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from jinja2 import Environment

from intriguing.tables.html import STYLE
from intriguing.workflow.compare.causes import Cause, Causes
from intriguing.workflow.compare.cells import Name, Number, Pair

JOBS_SHOWN = 6
OVERLAP = {True: "overlap", False: "apart", None: "--"}
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<style>{{ style }}
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
</style></head><body>
{% macro head(names) %}<thead><tr>{% for name in names -%}
<th scope="col">{{ name }}</th>{% endfor %}</tr></thead>{% endmacro %}
{% macro number(one) %}
{%- if one is none %}not there{% elif one.value is none %}--{% else %}
{{- "%.4g" | format(one.value) }}
{%- if one.low is not none and one.high is not none %} <span class="interval">
{{- "[%.4g, %.4g]" | format(one.low, one.high) }}</span>{% endif %}
{%- endif %}{% endmacro %}
{% macro rows(pairs, section, upstream) %}<table>
{{ head((("claim",) if pairs[0].name | length == 1 else ("row", "column"))
  + ("base", "here", "change", "intervals", "verdict")
  + (("upstream",) if upstream else ())) }}<tbody>
{% for pair in pairs %}<tr{% if pair.overlap is false %} class="apart"{% endif %}>
{%- for text in section.labels.get(pair.name, pair.name) %}<th scope="row">{{ text -}}
</th>{% endfor %}<td>{{ number(pair.base) }}</td><td>{{ number(pair.now) }}</td><td>
{{- "--" if pair.change is none else "%+.3g" | format(pair.change) }}</td><td>
{{- overlap[pair.overlap] }}</td><td>{{ verdicts(pair) }}</td>
{%- if upstream %}<td>
{%- for cause in section.causes %}<a href="#cause-{{ numbers[cause] }}">
{{- numbers[cause] }}</a>{{ ", " if not loop.last }}{% else %}not known{% endfor -%}
</td>{% endif %}</tr>
{% endfor %}</tbody></table>{% endmacro %}
<h1>{{ title }}</h1>
<p>Base: {{ sides[0] }}<br>Here: {{ sides[1] }}</p>
<table>{{ head(("", "numbers", "changed", "intervals apart", "other verdict", "new",
  "gone")) }}<tbody>
{% for section in sections %}<tr><th scope="row"><a href="#{{ section.name }}">
{{- section.name }}</a></th>
{%- for count in counts(section.pairs) %}<td>{{ count }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table>
{% for note in notes %}<p>{{ note }}</p>
{% endfor %}{% if causes %}<h2>What differs upstream</h2>
<ol>
{% for cause, jobs in causes.items() %}<li id="cause-{{ numbers[cause] }}">
{{- cause.kind }}{% if cause.rule %} of <code>{{ cause.rule }}</code>{% endif %}
{%- if jobs %} ({{ jobs[:shown] | join(", ") }}
{%- if jobs | length > shown %} and {{ jobs | length - shown }} more{% endif %})
{%- endif %}: <code>{{ cause.text }}</code></li>
{% endfor %}</ol>
{% endif %}{% for section in sections %}<h2 id="{{ section.name }}">
{{- section.name }}</h2>
{% set changed = section.pairs | selectattr("is_changed") | list %}
{% set same = section.pairs | rejectattr("is_changed") | list %}
{% if changed %}{{ rows(changed, section, true) }}{% else %}<p>Nothing changed.</p>
{%- endif %}
{% if same %}<details><summary>{{ same | length }} unchanged</summary>
{{- rows(same, section, false) }}</details>{% endif %}
{% endfor %}</body></html>
"""


class Section(NamedTuple):
    """A table, or the claims: its pairs, and the causes upstream of the changed ones.

    ``labels`` holds what is shown in place of a pair's name.
    """

    name: str
    pairs: list[Pair]
    causes: Causes
    labels: Mapping[Name, Name]


def comparison_page(
    title: str,
    sides: tuple[str, str],
    notes: Iterable[str],
    sections: list[Section],
) -> str:
    """Return the whole page.

    Args:
        title: Heading.
        sides: Descriptions of the two runs, the base first.
        notes: Sentences about what the comparison rests on.
        sections: The claims and each table.
    """
    causes = _merged(section.causes for section in sections)
    template = Environment(autoescape=True).from_string(PAGE)
    return template.render(
        title=title,
        style=STYLE,
        sides=sides,
        notes=notes,
        sections=sections,
        causes=causes,
        numbers={cause: k for k, cause in enumerate(causes, 1)},
        shown=JOBS_SHOWN,
        overlap=OVERLAP,
        counts=_counts,
        verdicts=_verdicts,
    )


def _merged(many: Iterable[Causes]) -> Causes:
    """Return all causes, each with the named jobs of all sections."""
    jobs: dict[Cause, set[str]] = {}
    for causes in many:
        for cause, names in causes.items():
            jobs.setdefault(cause, set()).update(filter(None, names))
    return {cause: sorted(names) for cause, names in jobs.items()}


def _counts(pairs: list[Pair]) -> tuple[int, ...]:
    """Count the pairs: all, changed, apart, with another verdict, new and gone."""
    both = [(pair.base, pair.now, pair) for pair in pairs if pair.base and pair.now]
    return (
        len(pairs),
        sum(pair.is_changed for *_, pair in both),
        sum(pair.overlap is False for *_, pair in both),
        sum(base.verdict != now.verdict for base, now, _ in both),
        sum(not pair.base for pair in pairs),
        sum(not pair.now for pair in pairs),
    )


def _verdicts(pair: Pair) -> str:
    sides: list[Number] = [one for one in (pair.base, pair.now) if one]
    verdicts = [one.verdict for one in sides if one.verdict]
    return " → ".join(dict.fromkeys(verdicts)) or "--"
