"""The contract in openapi.yaml is what the service does and what the sample knows."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
import yaml

import actions.records
from actions.records.sample import tables
from actions.records.sample.store import OPERATIONS, SampleRecords
from actions.records.serve import records_app
from tests.actions.records.conftest import TOKEN
from tests.actions.records.serving import serving

FOLDER = Path(actions.records.__file__).parent
CONTRACT: dict[str, Any] = yaml.safe_load((FOLDER / "openapi.yaml").read_text(encoding="utf-8"))
TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None)}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        found: Any = CONTRACT
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def mistakes(value: Any, schema: dict[str, Any], where: str = "$") -> Iterator[str]:
    """What of JSON Schema the contract uses, checked."""
    schema = resolved(schema)
    known = {
        "type", "pattern", "maxLength", "minLength", "required", "properties", "additionalProperties", "items", "maxItems", "const",
        "allOf", "description", "minimum", "maximum", "default",
    }  # fmt: skip
    assert set(schema) <= known, set(schema) - known
    kinds = schema.get("type", [])
    for kind in [kinds] if isinstance(kinds, str) else [kinds[0]] if len(kinds) == 1 else []:
        if not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool)):
            yield f"{where} is no {kind}"
            return
    if "const" in schema and value != schema["const"]:
        yield f"{where} is not {schema['const']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where} does not match"
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        yield f"{where} is too long"
    for part in schema.get("allOf", ()):
        yield from mistakes(value, part, where)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        yield from (f"{where}.{name} is missing" for name in schema.get("required", ()) if name not in value)
        for name, inner in value.items():
            if name in properties:
                yield from mistakes(inner, properties[name], f"{where}.{name}")
            elif schema.get("additionalProperties") is False:
                yield f"{where}.{name} is not in the contract"
    if isinstance(value, list):
        for n, inner in enumerate(value):
            yield from mistakes(inner, schema["items"], f"{where}[{n}]")


def test_the_service_has_the_contracts_paths_and_no_others() -> None:
    class Untouched:
        place = "nowhere"

    app = records_app(Untouched(), TOKEN)  # type: ignore[arg-type]
    served = {(path, method) for path, methods in app.openapi()["paths"].items() for method in methods}

    assert served == {(path, method) for path, methods in CONTRACT["paths"].items() for method in methods}


@pytest.fixture
async def ask(sample: SampleRecords) -> AsyncIterator[Any]:
    """Ask the service, and hold its answer against the contract."""
    async with serving(records_app(sample, TOKEN)) as address, aiohttp.ClientSession() as session:

        async def asked(method: str, path: str, *, token: str = TOKEN, key: str | None = None, **body: Any) -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key is not None else {})
            async with session.request(method, address + path, headers=headers, **body) as response:
                status, said = response.status, await response.json()
            parts = path.strip("/").split("/")
            template = "/{kind}/find" if parts[1:] == ["find"] else "/{kind}/do/{operation}" if len(parts) == 3 else "/{kind}/{id}"
            of = resolved(CONTRACT["paths"][template][method.lower()]["responses"][str(status)])
            assert list(mistakes(said, of["content"]["application/json"]["schema"])) == []
            return status, said

        yield asked


async def test_each_answer_is_what_the_contract_says(ask: Any) -> None:
    block = {"id": "NK1", "data": {"customer_id": "N1001", "loss": "lost"}}
    assert (await ask("GET", "/customers/N1001"))[0] == 200
    assert await ask("GET", "/customers/N9") == (404, {"error": "unknown", "what": "customers"})
    assert await ask("GET", "/nothing/N9") == (404, {"error": "unknown", "what": "kind"})
    assert await ask("GET", "/customers/N1001", token="another") == (401, {"error": "token"})
    assert (await ask("POST", "/cards/find", json={"where": {"customer_id": "N1001"}, "limit": 5}))[0] == 200
    assert await ask("POST", "/cards/find", json={"where": {"pin": "1"}}) == (404, {"error": "unknown", "what": "field"})
    assert (await ask("POST", "/cards/do/block", key="one", json=block))[0] == 200
    assert await ask("POST", "/cards/do/block", key="one", json={**block, "id": "NK2"}) == (409, {"error": "key_used"})
    assert await ask("POST", "/cards/do/explode", key="two", json=block) == (404, {"error": "unknown", "what": "operation"})
    refused = await ask("POST", "/cards/do/block", key="three", json={"id": "NK6", "data": {"customer_id": "N1004"}})
    assert refused == (422, {"error": "refused", "reason": "card_expired"})
    assert (await ask("POST", "/transfers/do/check", key="four", json={"data": {"customer_id": "N1001"}}))[0] == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/cards/find", {"json": {"where": {"customer_id": None}}}),
        ("/cards/find", {"json": {"where": {}, "limit": 101}}),
        ("/cards/find", {"json": {"whose": {}}}),
        ("/cards/find", {"data": b"{"}),
        ("/cards/do/block", {"json": {"id": "NK1", "data": {}}}),  # without a key
        ("/cards/do/block", {"json": {"id": 1, "data": {}}, "key": "k"}),
        ("/cards/do/block", {"json": {"id": "NK1", "data": {}}, "key": "k" * 201}),
    ],
)
async def test_what_the_contract_does_not_have_is_refused_and_nothing_of_it_said(ask: Any, path: str, body: dict[str, Any]) -> None:
    assert await ask("POST", path, **body) == (400, {"error": "request"})


def test_the_contract_names_the_samples_kinds_with_their_fields() -> None:
    named = {kind: set(about["fields"]) for kind, about in CONTRACT["x-kinds"].items()}

    assert named == {name: {column.name for column in of.c if column.name != "id"} for name, of in tables.KINDS.items()}
    for name, of in tables.KINDS.items():
        for column in of.c:
            said = CONTRACT["x-kinds"][name]["fields"].get(column.name, "text")
            assert said.endswith("or null") == bool(column.nullable and column.name != "id"), (name, column.name)
            assert said.startswith("integer") == isinstance(column.type, sa.Integer), (name, column.name)


def test_the_contract_names_the_samples_operations_and_what_they_refuse() -> None:
    named = {(kind, operation): about for kind, all_ in CONTRACT["x-operations"].items() for operation, about in all_.items()}
    assert set(named) == set(OPERATIONS)
    assert {about["gives"] for about in named.values()} <= set(tables.KINDS)

    sources = [path.read_text(encoding="utf-8") for path in sorted((FOLDER / "sample").glob("*.py"))]
    written = {word for source in sources for word in re.findall(r'RecordRefused\("([a-z_]+)"\)', source)}
    written |= {word for source in sources for word in re.findall(r'\(account\[.*, "([a-z_]+)"\),', source)}
    said = {word for about in named.values() for word in about["refusals"]}
    assert written <= said
    assert {word for word in said - written if not word.endswith(("_missing", "_wrong"))} == set()
