"""The sample's people and all that is theirs. Nobody here exists; telephone numbers are of a range that is never given to anybody
(Ofcom's numbers for drama). Days count from the moment at which the sample is filled, so that it looks used whenever that is.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import groupby

import sqlalchemy as sa

from actions.records.sample import tables
from actions.records.sample.rules import working_days
from memory.database import Row, Tx

BANK, INSURER, TELECOMS = "Northbank", "Harbour Insurance", "Calla Telecom"


def fill(tx: Tx, now: datetime) -> bool:
    """Make the tables and, where they are empty, fill them. False if they were filled before. The caller commits."""
    tables.make(tx)
    if tx.execute(sa.select(sa.func.count()).select_from(tables.customers)).scalar_one():
        return False
    for kind, rows in (_everything(now)).items():
        of = tables.KINDS[kind]
        # rows differ in what they leave out, and a statement for many takes the first one's columns
        for _, alike in groupby(rows, key=list):
            tx.execute(sa.insert(of), list(alike))
    return True


def _everything(now: datetime) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for part in (_customers(), _bank(now), _insurer(now.date()), _telecoms(now)):
        for kind, rows in part.items():
            found.setdefault(kind, []).extend(rows)
    return found


def _customers() -> dict[str, list[Row]]:
    def person(id: str, company: str, name: str, phone: str | None, address: str, born: str, **more: str) -> Row:
        email = f"{name.split()[0].lower()}@people.example"
        return {
            "id": id,
            "company": company,
            "name": name,
            "phone": phone,
            "email": email,
            "address": address,
            "date_of_birth": born,
        } | more

    return {
        "customers": [
            person("N1001", BANK, "Ann Lee", "+447700900101", "12 Mill Lane, Leeds LS1 4AB", "1984-03-17"),
            person("N1002", BANK, "Omar Haddad", "+447700900102", "5 Quay Street, Bristol BS1 6XN", "1991-11-02"),
            person("N1003", BANK, "Grace Okafor", "+447700900103", "88 Park Road, Cardiff CF10 2AF", "1977-07-29"),
            person("N1004", BANK, "Jan de Vries", "+447700900104", "3 Rope Walk, York YO1 7HD", "1969-01-08"),
            person("N1005", BANK, "Els de Vries", "+447700900104", "3 Rope Walk, York YO1 7HD", "1970-05-21"),
            person("N1006", BANK, "Tomas Novak", None, "41 Castle Hill, Norwich NR1 3DD", "1958-09-14"),
            person("H2001", INSURER, "Priya Nair", "+447700900201", "7 Orchard Close, Bath BA1 2QH", "1988-12-05"),
            person("H2002", INSURER, "Liam Walsh", "+447700900202", "19 Harbour View, Swansea SA1 1TW", "1995-04-23"),
            person("H2003", INSURER, "Chen Wei", "+447700900203", "62 Station Road, Derby DE1 2LB", "1982-08-11"),
            person("H2004", INSURER, "Rosa Marin", "+447700900204", "30 Elm Grove, Exeter EX4 3PW", "1963-02-28"),
            person(
                "C3001", TELECOMS, "Sofia Rossi", "+447700900301", "14 Canal Side, Leeds LS10 1JF", "1990-06-06", customer_number="12345678"
            ),
            person(
                "C3002", TELECOMS, "David Mensah", "+447700900302", "2 Tower Court, Hull HU1 3RA", "1979-10-19", customer_number="60417738"
            ),
            person(
                "C3003",
                TELECOMS,
                "Yuki Tanaka",
                "+447700900303",
                "55 Vine Street, Oxford OX1 4TG",
                "1998-03-30",
                customer_number="60417746",
            ),
            person(
                "C3004", TELECOMS, "Ewa Kowalska", "+447700900304", "9 Bridge End, Durham DH1 3AJ", "1986-01-25", customer_number="60417754"
            ),
        ]
    }


def _bank(now: datetime) -> dict[str, list[Row]]:
    today = now.date()

    def account(id: str, customer: str, kind: str, number: str, balance: int, **more: object) -> Row:
        row: Row = {"id": id, "customer_id": customer, "kind": kind, "number": number, "sort_code": "005550", "currency": "GBP"}
        return row | {"balance": balance, "pending": 0, "overdraft": 0, "joint": False, "state": "open"} | more

    def card(id: str, account: str, customer: str, kind: str, ending: str, state: str = "active", years: int = 2, **more: object) -> Row:
        expires = f"{today.year + years}-{today.month:02d}"
        row: Row = {"id": id, "customer_id": customer, "account_id": account, "kind": kind, "ending": ending}
        return row | {"state": state, "expires": expires} | more

    def charge(
        id: str, customer: str, account: str, days: int, merchant: str, amount: int, card: str | None = None, *, state: str = "booked"
    ) -> Row:
        row: Row = {"id": id, "customer_id": customer, "account_id": account, "card_id": card, "day": _day(today, -days)}
        return row | {"merchant": merchant, "amount": amount, "currency": "GBP", "state": state}

    def payee(id: str, customer: str, name: str, number: str, routing: str, days: int) -> Row:
        added = (now - timedelta(days=days)).isoformat()
        return {"id": id, "customer_id": customer, "name": name, "account_number": number, "routing_number": routing, "added_at": added}

    return {
        "routing_numbers": [{"id": "NR1", "number": "000555010", "used_for": "every account"}],
        "accounts": [
            account("NA1", "N1001", "current", "12345678", 2_480_16, pending=48_50),
            account("NA2", "N1001", "savings", "20417763", 12_050_00),
            account("NA3", "N1002", "current", "31508824", 640_20, overdraft=500_00),
            account("NA4", "N1003", "current", "31777402", -120_75, overdraft=300_00),
            account("NA5", "N1004", "current", "44120937", 905_00, joint=True),
            account("NA6", "N1005", "savings", "44120945", 0),
            account("NA7", "N1006", "current", "50333016", 77_10),
        ],
        "cards": [
            card("NK1", "NA1", "N1001", "debit", "4821"),
            card("NK2", "NA1", "N1001", "credit", "7730"),
            card("NK3", "NA3", "N1002", "debit", "1936"),
            card("NK4", "NA4", "N1003", "debit", "5512", "blocked", blocked_for="lost"),
            card("NK5", "NA5", "N1004", "debit", "2604"),
            card("NK6", "NA5", "N1004", "debit", "2598", "expired", years=-1),
        ],
        "card_orders": [
            {
                "id": "NC1",
                "customer_id": "N1003",
                "card_id": "NK4",
                "express": False,
                "fee": 0,
                "arrives_by": working_days(today, 3).isoformat(),
                "ordered_on": _day(today, -2),
            }
        ],
        "transactions": [
            charge("NX1", "N1001", "NA1", 96, "Lakeside Hotel", -312_00, "NK2"),
            charge("NX2", "N1001", "NA1", 26, "Greenway Lettings", -895_00),
            charge("NX3", "N1001", "NA1", 20, "Northern Rail", -64_80, "NK1"),
            charge("NX4", "N1001", "NA1", 14, "Salary", 2_640_00),
            charge("NX5", "N1001", "NA1", 9, "Corner Shop Mill Lane", -12_40, "NK1"),
            charge("NX6", "N1001", "NA1", 6, "StreamBox", -11_99, "NK2"),
            charge("NX7", "N1001", "NA1", 5, "StreamBox", -11_99, "NK2"),
            charge("NX8", "N1001", "NA1", 3, "Cafe Verde", -8_75, "NK1"),
            charge("NX9", "N1001", "NA1", 1, "Petrol A64", -48_50, "NK1", state="pending"),
            charge("NX10", "N1002", "NA3", 12, "Harbour Gym", -29_00, "NK3"),
            charge("NX11", "N1002", "NA3", 4, "Book Barn", -18_60, "NK3"),
            charge("NX12", "N1003", "NA4", 30, "Gas and Light", -140_00),
        ],
        "disputes": [
            {
                "id": "ND1",
                "customer_id": "N1002",
                "transaction_id": "NX10",
                "reason": "charged_twice",
                "state": "open",
                "opened_on": _day(today, -6),
                "answer_by": working_days(today, 6).isoformat(),
            }
        ],
        "payees": [
            payee("NP1", "N1001", "Maria Costa", "31508824", "000555010", 200),
            payee("NP2", "N1001", "Greenway Lettings", "70112233", "112233", 400),
            payee("NP3", "N1002", "Ann Lee", "12345678", "000555010", 90),
            payee("NP4", "N1001", "Maria Silva", "88120045", "203040", 60),
        ],
        "offers": [
            {
                "id": "NF1",
                "kind": "loan",
                "title": "Northbank Loan",
                "rate": "6.9 % a year",
                "summary": "£1,000 to £15,000 over one to five years",
                "least_income": 1_200_00,
            },
            {
                "id": "NF2",
                "kind": "card",
                "title": "Northbank Credit Card",
                "rate": "18.9 % a year",
                "summary": "a credit card without a yearly fee",
                "least_income": 900_00,
            },
            {
                "id": "NF3",
                "kind": "savings",
                "title": "Twelve-month Savings",
                "rate": "4.1 % a year",
                "summary": "a fixed rate for twelve months",
                "least_income": 0,
            },
        ],
    }


def _insurer(today: date) -> dict[str, list[Row]]:
    def policy(id: str, customer: str, number: str, kind: str, product: str, item: str, excess: int, **more: object) -> Row:
        row: Row = {"id": id, "customer_id": customer, "number": number, "kind": kind, "product": product, "item": item, "excess": excess}
        return row | {"state": "in force", "renews_on": _day(today, 140)} | more

    def claim(id: str, customer: str, policy: str, number: str, item: str, damage: str, state: str, days: int, **more: object) -> Row:
        row: Row = {"id": id, "customer_id": customer, "policy_id": policy, "number": number, "item": item, "damage": damage}
        return row | {"state": state, "excess": 250_00, "opened_on": _day(today, -days)} | more

    return {
        "policies": [
            policy("HP1", "H2001", "HP123456", "motor", "Motor Plus", "Ford Focus 2019", 250_00, registration="AB12CDE"),
            policy("HP2", "H2001", "HP204418", "phone", "Phone", "Fairphone 5", 50_00, serial="490154203237518"),
            policy("HP3", "H2002", "HP310552", "motor", "Motor Basic", "Fiat Panda 2015", 250_00, registration="CD15EFG"),
            policy("HP4", "H2003", "HP310660", "phone", "Phone", "Pixel 8", 50_00, serial="356938035643809", renews_on=_day(today, 20)),
            policy("HP5", "H2003", "HP310678", "home", "Home", "62 Station Road", 150_00, state="renewal", renews_on=_day(today, 12)),
            policy("HP6", "H2004", "HP198700", "home", "Home", "30 Elm Grove", 150_00, state="ended", renews_on=_day(today, -40)),
        ],
        "claims": [
            claim("HK1", "H2001", "HP1", "HC123456", "Ford Focus 2019", "rear bumper", "in review", 8, missing="the repair estimate"),
            claim(
                "HK2",
                "H2002",
                "HP3",
                "HC310102",
                "Fiat Panda 2015",
                "windscreen",
                "received",
                0,
                next_by=working_days(today, 1).isoformat(),
            ),
            claim(
                "HK3",
                "H2003",
                "HP5",
                "HC310140",
                "62 Station Road",
                "burst pipe",
                "decided",
                16,
                decision="accepted",
                amount=1_240_00,
                next_by=working_days(today, 4).isoformat(),
            ),
            claim(
                "HK4",
                "H2003",
                "HP5",
                "HC309911",
                "62 Station Road",
                "storm damage",
                "paid",
                120,
                decision="accepted",
                amount=480_00,
                paid_on=_day(today, -98),
            ),
            claim("HK5", "H2003", "HP5", "HC310021", "62 Station Road", "worn carpet", "decided", 60, decision="refused"),
        ],
    }


def _telecoms(now: datetime) -> dict[str, list[Row]]:
    today = now.date()

    def plan(id: str, kind: str, name: str, price: int, size: int, summary: str) -> Row:
        return {"id": id, "kind": kind, "name": name, "price": price, "size": size, "summary": summary}

    def service(id: str, customer: str, plan_id: str, days: int, **more: object) -> Row:
        of = next(one for one in plans if one["id"] == plan_id)
        row: Row = {"id": id, "customer_id": customer, "plan_id": plan_id, "kind": of["kind"], "plan": of["name"], "price": of["price"]}
        bound = today + timedelta(days=365 - days)
        return row | {"state": "active", "started_on": _day(today, -days), "bound_until": bound.isoformat()} | more

    plans = [
        plan("CP1", "internet", "Calla 50", 25_00, 50, "50 Mbit/s"),
        plan("CP2", "internet", "Calla 150", 32_00, 150, "150 Mbit/s"),
        plan("CP3", "internet", "Calla 500", 42_00, 500, "500 Mbit/s"),
        plan("CP4", "mobile", "Mobile 5 GB", 8_00, 5, "5 GB, calls and texts within the country"),
        plan("CP5", "mobile", "Mobile 10 GB", 12_00, 10, "10 GB, calls and texts within the country"),
        plan("CP6", "mobile", "Mobile 30 GB", 18_00, 30, "30 GB, calls and texts within the country"),
        plan("CP7", "tv", "Basic", 10_00, 40, "40 channels"),
        plan("CP8", "tv", "Family", 18_00, 80, "80 channels, with children’s and nature channels"),
        plan("CP9", "tv", "Premium", 30_00, 120, "120 channels, with sport and films"),
        plan("CP10", "home phone", "Home phone", 6_00, 1, "a number at home"),
    ]
    month = today.replace(day=1)
    bills: list[Row] = []
    items: list[Row] = []

    def bill(customer: str, back: int, state: str, *lines: tuple[str, int]) -> None:
        issued = _months_back(month, back)
        of = _months_back(month, back + 1)
        number = f"CB{len(bills) + 1}"
        total = sum(amount for _, amount in lines)
        row: Row = {"id": number, "customer_id": customer, "month": of.isoformat()[:7], "issued_on": issued.isoformat()}
        bills.append(row | {"due_on": issued.replace(day=15).isoformat(), "total": total, "currency": "GBP", "state": state})
        for text, amount in lines:
            items.append({"id": f"CI{len(items) + 1}", "customer_id": customer, "bill_id": number, "text": text, "amount": amount})

    sofia = (("Calla 150", 32_00), ("TV Family", 18_00), ("Mobile 10 GB", 12_00), ("Internet and mobile together", -5_00))
    bill("C3001", 2, "paid", *sofia)
    bill("C3001", 1, "paid", *sofia)
    bill("C3001", 0, "open", *sofia, ("5 GB extra", 5_00))
    bill("C3002", 1, "late", ("Calla 50", 25_00))
    bill("C3002", 0, "open", ("Calla 50", 25_00), ("Late payment", 5_00))
    bill("C3003", 0, "paid", ("Mobile 5 GB", 8_00))
    return {
        "plans": plans,
        "services": [
            service("CS1", "C3001", "CP2", 300),
            service("CS2", "C3001", "CP8", 300),
            service("CS3", "C3001", "CP5", 220, number="+447700900301"),
            service("CS4", "C3002", "CP1", 700, bound_until=None),
            service("CS5", "C3003", "CP4", 90, number="+447700900303"),
            service("CS6", "C3004", "CP1", 500, state="cancelling", bound_until=None, ends_on=_day(today, 12)),
            service("CS7", "C3004", "CP4", 40, number="+447700900304"),
        ],
        "bills": bills,
        "bill_items": items,
        "usage": [
            _usage("CU1", "C3001", "CS3", now, 7_400, 10_000),
            _usage("CU2", "C3003", "CS5", now, 5_000, 5_000),
            _usage("CU3", "C3004", "CS7", now, 350, 5_000),
        ],
    }


def _usage(id: str, customer: str, service: str, now: datetime, used_mb: int, allowance_mb: int) -> Row:
    row: Row = {"id": id, "customer_id": customer, "service_id": service, "month": now.date().isoformat()[:7]}
    return row | {"used_mb": used_mb, "allowance_mb": allowance_mb, "as_of": (now - timedelta(minutes=20)).isoformat()}


def _day(today: date, days: int) -> str:
    return (today + timedelta(days=days)).isoformat()


def _months_back(month: date, count: int) -> date:
    index = month.year * 12 + month.month - 1 - count
    return date(index // 12, index % 12 + 1, 1)
