"""Rules: edited, imported, exported, tried on the past; what became of them."""

from dataclasses import asdict
from datetime import datetime, timedelta

import msgspec
from aiohttp import web

from marengocam.core.ids import new_id
from marengocam.core.rules.document import rule_from_yaml, rule_yaml, rules_from_yaml, rules_yaml
from marengocam.core.rules.model import Rule
from marengocam.core.rules.past import rehearse
from marengocam.core.rules.schema import actions_document, conditions_document, rule_document, rule_from
from marengocam.db.webhook_key import webhook_secret
from marengocam.runtime.rule_facts import RuleFacts, place_of, possible_with
from marengocam.web.answers import InputFieldError, given, told
from marengocam.web.query import aware, flag, moment, number, path_uuid
from marengocam.web.routes.events import told_events
from marengocam.web.table import Desk, Parameter, Route
from marengocam.web.wire import rules as wire

TRY_DEFAULT = timedelta(days=7)
TRY_AT_MOST = timedelta(days=90)
SHOWN_EVENTS = 200
MAX_FIRINGS = 500


async def list_rules(desk: Desk, _request: web.Request) -> web.Response:
    return told(wire.RuleList(rules=[_told(rule) for rule in await desk.hub.rules.list()]))


async def get_rule(desk: Desk, request: web.Request) -> web.Response:
    return told(_told(await desk.hub.rules.get(path_uuid(request, "rule_id"))))


async def add_rule(desk: Desk, request: web.Request) -> web.Response:
    rule = _given(desk, await given(request, wire.RuleIn))
    await desk.hub.rules.put([rule])
    return told(_told(rule), 201)


async def change_rule(desk: Desk, request: web.Request) -> web.Response:
    changes = msgspec.to_builtins(await given(request, wire.RuleChange))
    before = await desk.hub.rules.get(path_uuid(request, "rule_id"))
    rule = rule_from(
        rule_document(before) | changes, before.rule_id, before.created_at, possible_with(desk.context.settings)
    )
    await desk.hub.rules.put([rule])
    return told(_told(rule))


async def remove_rule(desk: Desk, request: web.Request) -> web.Response:
    await desk.hub.rules.remove(path_uuid(request, "rule_id"))
    return web.Response(status=204)


async def show_rule_text(desk: Desk, request: web.Request) -> web.Response:
    rule = await desk.hub.rules.get(path_uuid(request, "rule_id"))
    return web.Response(text=rule_yaml(rule), content_type="application/yaml")


async def read_rule_text(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.RuleText)
    rule = rule_from_yaml(body.yaml, desk.context.clock.now(), possible_with(desk.context.settings))
    document = msgspec.to_builtins(_told(rule))
    return told(wire.RuleRead(rule={name: document[name] for name in wire.RuleIn.__struct_fields__}))


async def export_rules(desk: Desk, _request: web.Request) -> web.Response:
    return web.Response(text=rules_yaml(await desk.hub.rules.list()), content_type="application/yaml")


async def import_rules(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.RulesImport)
    known = await desk.hub.rules.list()
    rules = rules_from_yaml(body.yaml, known, desk.context.clock.now(), possible_with(desk.context.settings))
    await desk.hub.rules.put(rules, remove_others=body.replace_all)
    return told(wire.RuleList(rules=[_told(rule) for rule in rules]))


async def try_rule(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.TryIn)
    rule = await desk.hub.rules.get(path_uuid(request, "rule_id")) if body.rule is None else _given(desk, body.rule)
    return await _try(desk, rule, body)


async def try_new_rule(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.TryIn)
    if body.rule is None:
        raise InputFieldError("Give the rule that is to be tried.", "rule")
    return await _try(desk, _given(desk, body.rule), body)


async def list_firings(desk: Desk, request: web.Request) -> web.Response:
    firings = await desk.hub.firings.list(
        number(request, "limit", 100, 1, MAX_FIRINGS),
        path_uuid(request, "rule_id") if "rule_id" in request.match_info else None,
        moment(request, "before"),
        failed_only=flag(request, "failed"),
    )
    return told(wire.FiringList(firings=[msgspec.convert(asdict(one), wire.FiringOut) for one in firings]))


async def list_firings_of_a_rule(desk: Desk, request: web.Request) -> web.Response:
    return await list_firings(desk, request)


async def show_webhook_secret(desk: Desk, request: web.Request) -> web.Response:
    rule = await desk.hub.rules.get(path_uuid(request, "rule_id"))
    return told(wire.WebhookSecretOut(secret=(await webhook_secret(desk.hub.settings_store, rule.rule_id)).reveal()))


async def _try(desk: Desk, rule: Rule, body: wire.TryIn) -> web.Response:
    now = desk.context.clock.now()
    to_at = now if body.to_at is None else aware(body.to_at, "to_at")
    from_at = to_at - TRY_DEFAULT if body.from_at is None else aware(body.from_at, "from_at")
    if not timedelta(0) < to_at - from_at <= TRY_AT_MOST:
        raise InputFieldError(f"The stretch must be between nothing and {TRY_AT_MOST.days} days long.", "from_at")
    place = place_of(desk.context.settings)
    past = await RuleFacts(desk.hub, place).past(rule, from_at, to_at)
    found = rehearse(rule, past)
    newest = list(reversed(found.fired))[:SHOWN_EVENTS]
    names = {camera.camera_id: camera.name for camera in await desk.hub.cameras.list()}
    return told(
        wire.TryOut(
            summary=found.summary(place.local(from_at), place.local(to_at)),
            from_at=from_at,
            to_at=to_at,
            looked_at=found.looked_at,
            fired=len(found.fired),
            events=told_events(newest, now, names),
            reasons=found.reasons,
        )
    )


def _given(desk: Desk, body: wire.RuleIn) -> Rule:
    now: datetime = desk.context.clock.now()
    return rule_from(msgspec.to_builtins(body), new_id(now), now, possible_with(desk.context.settings))


def _told(rule: Rule) -> wire.RuleOut:
    return wire.RuleOut(
        rule_id=rule.rule_id,
        name=rule.name,
        events=list(rule.event_types),
        conditions=conditions_document(rule.conditions),
        limit=None if rule.limit is None else msgspec.to_builtins(rule.limit),
        actions=actions_document(rule.actions),
        enabled=rule.enabled,
        late=rule.late,
        created_at=rule.created_at,
    )


_FIRINGS = (Parameter("limit", "integer"), Parameter("before"), Parameter("failed", "boolean"))
# Rules may hold addresses that are keys, so reading them takes more than the scope `read`.
ROUTES = (
    Route("GET", "/rules", "write", list_rules, "All rules", wire.RuleList),
    Route("POST", "/rules", "write", add_rule, "Add a rule", wire.RuleOut, wire.RuleIn, 201),
    Route("GET", "/rules/export.yaml", "write", export_rules, "All rules as YAML", media_type="application/yaml"),
    Route(
        "POST",
        "/rules/import",
        "write",
        import_rules,
        "Add and change rules from YAML, all or none",
        wire.RuleList,
        wire.RulesImport,
    ),
    Route(
        "POST", "/rules/try", "write", try_new_rule, "Try a rule on the past without saving", wire.TryOut, wire.TryIn
    ),
    Route(
        "POST",
        "/rules/read",
        "write",
        read_rule_text,
        "Read a rule written as YAML without saving it; errors name field and line",
        wire.RuleRead,
        wire.RuleText,
    ),
    Route("GET", "/rules/firings", "read", list_firings, "Firings, newest first", wire.FiringList, parameters=_FIRINGS),
    Route("GET", "/rules/{rule_id}", "write", get_rule, "One rule", wire.RuleOut),
    Route("PATCH", "/rules/{rule_id}", "write", change_rule, "Change a rule", wire.RuleOut, wire.RuleChange),
    Route("DELETE", "/rules/{rule_id}", "write", remove_rule, "Remove a rule", status=204),
    Route(
        "GET", "/rules/{rule_id}/rule.yaml", "write", show_rule_text, "One rule as YAML", media_type="application/yaml"
    ),
    Route("POST", "/rules/{rule_id}/try", "write", try_rule, "Try a rule on the past", wire.TryOut, wire.TryIn),
    Route(
        "GET",
        "/rules/{rule_id}/firings",
        "read",
        list_firings_of_a_rule,
        "Firings of one rule, newest first",
        wire.FiringList,
        parameters=_FIRINGS,
    ),
    Route(
        "GET",
        "/rules/{rule_id}/webhook-secret",
        "admin",
        show_webhook_secret,
        "The secret that signs its webhooks",
        wire.WebhookSecretOut,
    ),
)
