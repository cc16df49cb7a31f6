"""Rules as the API shows and takes them; the fields are explained in docs/guide/rules.md."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from marengocam.web.wire.base import Given, Name, Told
from marengocam.web.wire.models import EventOut

Document = dict[str, Any]
YamlText = Annotated[str, msgspec.Meta(max_length=262_144)]


class RuleIn(Given):
    """A rule: event types, conditions that must all hold, a limit, actions."""

    name: Name
    events: list[str] | str
    actions: list[Document]
    conditions: Document = msgspec.field(default_factory=dict)
    limit: Document | None = None
    enabled: bool = True
    late: bool = False


class RuleChange(Given):
    """What is given changes, each field as a whole."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    events: list[str] | str | msgspec.UnsetType = msgspec.UNSET
    actions: list[Document] | msgspec.UnsetType = msgspec.UNSET
    conditions: Document | msgspec.UnsetType = msgspec.UNSET
    limit: Document | msgspec.UnsetType | None = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET
    late: bool | msgspec.UnsetType = msgspec.UNSET


class RuleOut(Told):
    rule_id: UUID
    name: str
    events: list[str]
    conditions: Document
    limit: Document | None
    actions: list[Document]
    enabled: bool
    late: bool
    created_at: datetime


class RuleList(Told):
    rules: list[RuleOut]


class RulesImport(Given):
    """Rules as YAML; those of a known name are changed. `replace_all` removes the rules that it does not hold."""

    yaml: YamlText
    replace_all: bool = False


class RuleText(Given):
    """One rule as YAML: alone, or the only one below `rules:`."""

    yaml: YamlText


class RuleRead(Told):
    """A rule that was read from a text, as adding, changing and trying take it; every field is there."""

    rule: Document


class TryIn(Given):
    """A stretch of the past, by default the last 7 days; with a rule, that one is tried without saving it."""

    from_at: datetime | None = None
    to_at: datetime | None = None
    rule: RuleIn | None = None


class TryOut(Told):
    """What a rule would have done: how often, with which events (the newest first, 200 at most), and why else not."""

    summary: str
    from_at: datetime
    to_at: datetime
    looked_at: int
    fired: int
    events: list[EventOut]
    reasons: dict[str, int]


class OutcomeOut(Told):
    """What became of one action; `target` never holds a whole webhook address."""

    place: int
    action: str
    target: str
    state: str
    reason: str
    ended_at: datetime


class FiringOut(Told):
    """One time that a rule fired; an action without an outcome is under way, or was cut off by a kill."""

    firing_id: UUID
    rule_id: UUID
    rule_name: str
    event_number: int
    event_type: str
    occurred_at: datetime
    fired_at: datetime
    camera_id: str | None
    person_id: UUID | None
    person_name: str | None
    outcomes: list[OutcomeOut]


class FiringList(Told):
    firings: list[FiringOut]


class WebhookSecretOut(Told):
    """The secret that signs this rule's webhooks."""

    secret: str
