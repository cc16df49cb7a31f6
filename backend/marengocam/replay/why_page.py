"""A page of its own that explains a moment, with the frame drawn."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from marengocam.replay.explanation import Explanation
from marengocam.replay.page import image_of, whole_page


def explanation_page(explanation: Explanation) -> str:
    """Return why a moment was seen as it was, with the frame drawn."""
    told = explanation.told
    rows = "".join(f"<tr><th>{escape(stage)}</th><td>{escape(text)}</td></tr>" for stage, text in explanation.stages)
    drawn = f'<figure class="wide">{image_of(explanation.picture)}<figcaption>{escape(_LEGEND)}</figcaption></figure>'
    candidates = [
        f"<h3>Track {escape(one['track_id'][:8])}, {escape(one['at'])}</h3>{_candidates(one['candidates'])}"
        for one in told["candidates"]
    ]
    parts = [f"<p><strong>{escape(explanation.answer)}</strong></p>", drawn, f"<table>{rows}</table>"]
    if candidates:
        parts += ["<h2>Who it could have been</h2>", *candidates]
    return whole_page(f"Why? {told['camera_id']}, {told['at']}", parts)


_LEGEND = (
    "Green: counted. Orange: found but not counted, with the reason. Blue: followed. White: what moved. "
    "Thick white: looked at once more at full detail."
)


def _candidates(candidates: Iterable[Mapping[str, Any]]) -> str:
    rows = []
    for one in candidates:
        cues = ", ".join(f"{cue['cue']} {cue['log_ratio']:+.2f}" for cue in one["cues"]) or "none"
        chosen = " (chosen)" if one["chosen"] else ""
        who = f"<td>{escape(one['who'] + chosen)}</td>"
        rows.append(f"<tr>{who}<td>{one['log_odds']:+.2f}</td><td>{one['prior']:+.2f}</td><td>{escape(cues)}</td></tr>")
    return f"<table><tr><th>who</th><th>log-odds</th><th>prior</th><th>cues</th></tr>{''.join(rows)}</table>"
