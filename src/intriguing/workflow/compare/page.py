"""The page that shows a comparison: plain HTML without other files."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd
from jinja2 import Environment

from intriguing.tables.html import STYLE
from intriguing.workflow.compare.causes import Cause, Causes

SHOWN = 6
"""Of the jobs of a cause, and of the files that a table is older than."""
COUNTED = ["changed", "apart", "judged", "new", "gone"]
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Comparison</title>
<style>{{ style }}
table { margin: .5rem 0 1rem }
th { min-width: 0; font-weight: 600 }
td, tbody th { padding: .2rem .7rem; min-width: 0; vertical-align: top }
tbody th { font-weight: 400; max-width: 32rem }
.apart { background: #fde7d3; font-weight: 600 }
h2 { margin: 2rem 0 .3rem }
ol, ul { max-width: 70rem } li { margin: .25rem 0 }
code { font-size: .92em; overflow-wrap: anywhere }
details { margin: .5rem 0 } summary { cursor: pointer; color: #444 }
</style></head><body>
{% macro head(names) %}<thead><tr>{% for name in names -%}
<th scope="col">{{ name }}</th>{% endfor %}</tr></thead>{% endmacro %}
{% macro some(items) %}{{ items[:shown] | join(", ") }}
{%- if items | length > shown %} and {{ items | length - shown }} more{% endif %}
{%- endmacro %}
{% macro rows(pairs, section, upstream) %}<table>
{{ head((("claim",) if pairs[0].label | length == 1 else ("row", "column"))
  + ("base", "here", "change", "intervals", "verdict")
  + (("upstream",) if upstream else ())) }}<tbody>
{% for pair in pairs %}<tr{% if pair.apart %} class="apart"{% endif %}>
{%- for text in pair.label %}<th scope="row">{{ text }}</th>{% endfor %}
{%- for text in (pair.base, pair.now, pair.change, pair.intervals, pair.verdict) -%}
<td>{{ text }}</td>{% endfor %}{% if upstream %}<td>
{%- for cause in section.causes %}<a href="#cause-{{ numbers[cause] }}">
{{- numbers[cause] }}</a>{{ ", " if not loop.last }}{% else %}not known{% endfor -%}
</td>{% endif %}</tr>
{% endfor %}</tbody></table>{% endmacro %}
<h1>Results of two runs</h1>
<p>Base: {{ base }}<br>Here: {{ now }}</p>
<table>{{ head(("", "numbers", "changed", "intervals apart", "other verdict", "new",
  "gone", "current")) }}<tbody>
{% for section in sections %}<tr><th scope="row"><a href="#{{ section.name }}">
{{- section.name }}</a></th><td>{{ section.pairs | length }}</td>
{%- for count in section.pairs[counted].sum() %}<td>{{ count }}</td>{% endfor -%}
<td>{{ "no" if section.stale else "" }}</td></tr>
{% endfor %}</tbody></table>
{% for note in notes %}<p>{{ note }}</p>
{% endfor %}{% if causes %}<h2>What differs upstream</h2>
<ol>
{% for cause, jobs in causes.items() %}<li id="cause-{{ numbers[cause] }}">
{{- cause.kind }}{% if cause.rule %} of <code>{{ cause.rule }}</code>{% endif %}
{%- if jobs %} ({{ some(jobs) }}){% endif %}: <code>{{ cause.text }}</code></li>
{% endfor %}</ol>
{% endif %}{% for section in sections %}<h2 id="{{ section.name }}">
{{- section.name }}</h2>
{% if section.stale %}<p><strong>Not current</strong>: {{ some(section.stale) }}
{{- " is" if section.stale | length == 1 else " are" }} not what this was made from.</p>
{% endif %}{% set pairs = section.pairs.itertuples() | list %}
{% set changed = pairs | rejectattr("same") | list %}
{% set same = pairs | selectattr("same") | list %}
{% if changed %}{{ rows(changed, section, true) }}{% else %}<p>Nothing changed.</p>
{%- endif %}
{% if same %}<details><summary>{{ same | length }} unchanged</summary>
{{- rows(same, section, false) }}</details>{% endif %}
{% endfor %}</body></html>
"""


class Section(NamedTuple):
    """A table, or the claims.

    It has its pairs (`cells.paired`), the causes upstream of the changed ones, and what
    was changed upstream since it was made.
    """

    name: str
    pairs: pd.DataFrame
    causes: Causes
    stale: list[str]


def comparison_page(
    base: str, now: str, notes: Iterable[str], sections: list[Section]
) -> str:
    """Return the whole page.

    Args:
        base: Description of the one run.
        now: Description of the other one.
        notes: Sentences about what the comparison rests on.
        sections: The claims and each table.
    """
    causes: dict[Cause, set[str]] = {}
    for section in sections:
        for cause, jobs in section.causes.items():
            causes.setdefault(cause, set()).update(filter(None, jobs))
    return (
        Environment(autoescape=True)
        .from_string(PAGE)
        .render(
            style=STYLE,
            base=base,
            now=now,
            notes=notes,
            sections=sections,
            causes={cause: sorted(jobs) for cause, jobs in causes.items()},
            numbers={cause: k for k, cause in enumerate(causes, 1)},
            shown=SHOWN,
            counted=COUNTED,
        )
    )
