"""HTML pages from templates; untrusted names are escaped."""

from __future__ import annotations

from typing import Any

import jinja2


def page(template: str, **values: Any) -> str:
    """Render a template of this folder as a self-contained HTML page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("surveyor.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = lambda v: "–" if v is None else f"{v:.4g}"
    return environment.get_template(template).render(**values)
