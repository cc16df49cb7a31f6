"""Templates say what an owner wants, and cannot run long, grow large or look around."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marengocam.core.clock import ManualClock, SystemClock
from marengocam.core.rules.place import Place
from marengocam.core.rules.template import MAX_OUTPUT_CHARS, TemplateProblemError, check, render, variables

EVENT = {
    "number": 7, "event_id": "e", "type": "person_confirmed", "occurred_at": "2026-06-21T20:30:00+00:00", "late": False,
    "camera_id": "yard", "camera": "Back yard", "local_track_id": "t", "identity_id": "i", "person_id": "p",
    "person": "Alice", "probability": 0.973, "zones": ["Path", "Pool"], "data": {"label": "person"},
}  # fmt: skip
RULE = {"name": "r", "rule_id": "1"}
GREENWICH = Place(zone=UTC)
VARIABLES = variables(EVENT, RULE, GREENWICH)


def rendered(value, place=GREENWICH):
    check(value, "payload")
    return render(value, variables(EVENT, RULE, place), SystemClock())


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("{{ event.person }} at {{ event.camera }}", "Alice at Back yard"),
        ("{{ event.probability }}", 0.973),
        ("{{ event.zones }}", ["Path", "Pool"]),
        ("{{ event.data.label }}", "person"),
        ("{{ event.data.nothing }}", None),
        ("x{{ event.data.nothing }}", "x"),
        ("{{ (event.probability * 100) | round }} %", "97 %"),
        ("{{ event.occurred_at | local('%H:%M') }}", "20:30"),
        ("{% if event.person == 'Alice' %}yes{% else %}no{% endif %}", "yes"),
        ("{% for zone in event.zones %}{{ zone }};{% endfor %}", "Path;Pool;"),
        ({"who": "{{ event.person }}", "n": [1, "{{ event.number }}"]}, {"who": "Alice", "n": [1, 7]}),
        ('{"zones": {{ event.zones | tojson }}}', '{"zones": ["Path", "Pool"]}'),
        ("plain { text", "plain { text"),
        (5, 5),
    ],
)
def test_what_a_template_says(template, wanted):
    assert rendered(template) == wanted


@pytest.mark.parametrize("template", ["{{ event.occurred_at | local }}", "at {{ event.occurred_at | local('%H:%M') }}"])
def test_times_are_by_the_owners_clock(template):
    assert rendered(template, Place(zone=ZoneInfo("Europe/Berlin"))).endswith("22:30")


def test_a_time_without_a_zone_stays_what_it_is():
    assert rendered("{{ '2026-06-21T20:30' | local }}", Place(zone=ZoneInfo("Europe/Berlin"))) == "20:30"


@pytest.mark.parametrize(
    "template",
    [
        "{{ event.__class__ }}",
        "{{ event.items() }}",
        "{{ 'a'.upper() }}",
        "{{ range(9) }}",
        "{{ lipsum }}",
        "{{ self }}",
        "{{ event | attr('x') }}",
        "{{ 9 ** 9 ** 9 }}",
        "{% set x = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'x' %}",
        "{% for a in event.zones %}{% for b in event.zones %}x{% endfor %}{% endfor %}",
        "{% for a in event.zones recursive %}{{ loop(a) }}{% endfor %}",
        "{{ 'a' | center(99999999) }}",
        "{{ event.person | format }}",
        "{{ evnt.person }}",
        "{{ event.persn }}",
        "{{ event.person",
        "{{ " + "(" * 900 + "1" + ")" * 900 + " }}",
        "x" * 5000,
    ],
)
def test_what_no_template_may_say_is_refused_when_it_is_written(template):
    with pytest.raises(TemplateProblemError):
        check(template, "payload")


@pytest.mark.parametrize(
    "template",
    [
        "x{{ 'a' * 999999999 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ event.person" + " | replace('', 'x' ~ event.occurred_at)" * 4 + " }}",
        "{{ event.occurred_at | local('%9999999d') }}",
        "{{ 'x' | local }}",
        "{{ 1 / 0 }}",
        "{{ event.person + 1 }}",
    ],
)
def test_what_fails_with_an_event_says_so(template):
    check(template, "payload")
    with pytest.raises(TemplateProblemError):
        render(template, VARIABLES, SystemClock())


def test_nothing_of_python_shows_through():
    assert rendered("{{ ''.__class__ }}") is None
    assert rendered("{{ event.data.__class__ }}") is None


class SlowClock(ManualClock):
    """A second passes at each look."""

    def monotonic_s(self):
        self.advance(1)
        return super().monotonic_s()


def test_a_template_that_takes_too_long_or_says_too_much_is_ended():
    with pytest.raises(TemplateProblemError, match="longer than"):
        render("a{{ event.person }}{{ event.camera }}", VARIABLES, SlowClock())
    long = VARIABLES | {"event": EVENT | {"zones": ["z" * 1000] * 100}}
    with pytest.raises(TemplateProblemError, match=str(MAX_OUTPUT_CHARS)):
        render("{% for zone in event.zones %}{{ zone }}{% endfor %}", long, SystemClock())


PARTS = st.sampled_from(
    ["{{", "}}", "{%", "%}", " event", ".person", ".zones", " | ", "replace", "join", "('a','bb')", " * ", " ~ ", "9",
     "for z in", " if ", "endfor", "else", "[0]", "'x'", "(", ")", " % ", " in ", "not ", "rule.name", "round"]
)  # fmt: skip


@given(st.lists(PARTS, max_size=14).map("".join))
def test_whatever_is_written_is_refused_or_said_or_fails_with_our_error(template):
    try:
        check(template, "payload")
        render(template, VARIABLES, ManualClock(datetime(2026, 1, 1, tzinfo=UTC)))
    except TemplateProblemError:
        return
