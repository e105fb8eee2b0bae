"""What a user fills in is checked as a whole: every fault has its path and a sentence, and what passes is stored in one form."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from strawberry.utils.str_converters import to_camel_case

from db.demo.clients import DemoClient, invent_clients
from db.demo.contacts import invent_people
from db.demo.organization import OrganizationRecord, build_organization
from db.tables import (
    AddressFields,
    ClientFields,
    ClientFinancialFields,
    ClientKind,
    ContactFields,
    LabelFields,
    MemberFields,
    OrganizationFields,
)
from db.tables.contacts import ClientContactFields
from db.tables.invoices import InvoiceLayoutFields, VatRateFields
from db.tables.projects import ExpenseFields, MileageFields, ProjectFields, RateFields, RegistrationFields, StatusFields, TimeFields
from domain.core.errors import InvalidInput, RuleViolation
from domain.core.validation import MULTILINE, RULES, RULES_BY_COUNTRY, validate, validate_patch

FIELD_SETS: list[type[BaseModel]] = [
    AddressFields, ClientContactFields, ClientFields, ClientFinancialFields, ContactFields, InvoiceLayoutFields, LabelFields, MemberFields,
    OrganizationFields, ProjectFields, RegistrationFields, TimeFields, ExpenseFields, MileageFields, RateFields, StatusFields,
    VatRateFields,
]  # fmt: skip
HOUSE = build_organization(b"", 25)
DEMO: list[DemoClient] = invent_clients(1_000, HOUSE)
CLIENT = ClientFields(name="Bakkerij Jansen", phone="+31 20 555 0123").model_dump()
DUTCH = AddressFields(postal_code="1012 AB", country="NL").model_dump()
JANSEN = ContactFields(last_name="Jansen").model_dump()


def faults(fields: type[BaseModel], values: Mapping[str, object], at: tuple[str, ...] = ()) -> dict[str, str]:
    with pytest.raises(RuleViolation) as refused:
        validate(fields, values, path=at)
    return {".".join(refusal.path): refusal.message for refusal in refused.value.user_errors if isinstance(refusal, InvalidInput)}


def patch_faults(fields: type[BaseModel], current: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, str]:
    with pytest.raises(RuleViolation) as refused:
        validate_patch(fields, current, changes, path=("patch",))
    return {".".join(refusal.path): refusal.message for refusal in refused.value.user_errors}


def test_all_faults_are_told_at_once_in_the_order_of_the_fields() -> None:
    """Those of texts, of rules and of limits together, each at its path in the input."""
    wrong: dict[str, object] = {
        "name": "x" * 201, "kind": "CLUB", "is_prospect": "perhaps", "email": "nobody", "notes": "\0", "kvk_number": "1",
        "vat_number": "NL1",
    }  # fmt: skip
    found = faults(ClientFields, wrong, at=("clients", "0"))

    assert list(found) == [f"clients.0.{name}" for name in ("name", "kind", "isProspect", "email", "notes", "kvkNumber", "vatNumber")]
    assert found["clients.0.name"] == "`name` has at most 200 characters; this has 201."
    assert found["clients.0.kind"] == "`kind` must be one of 'COMPANY', 'PERSON' or 'GOVERNMENT'."
    assert found["clients.0.isProspect"] == "`isProspect` must be true or false."
    assert found["clients.0.kvkNumber"] == "A KvK number has 8 digits, for example `68750110`."


@pytest.mark.parametrize(
    ("fields", "name", "value", "says"),
    [
        (ClientFinancialFields, "default_hourly_rate", "-1", "`defaultHourlyRate` must be 0 or more."),
        (ClientFinancialFields, "default_hourly_rate", "1.23456", "`defaultHourlyRate` has at most 4 digits after the decimal point."),
        (ClientFinancialFields, "default_hourly_rate", "1" * 16, "`defaultHourlyRate` has at most 15 digits before the decimal point."),
        (ClientFinancialFields, "default_hourly_rate", "1" * 20, "`defaultHourlyRate` has at most 19 digits."),
        (ClientFinancialFields, "default_hourly_rate", "much", "`defaultHourlyRate` must be a number, for example `12.50`."),
        (ClientFinancialFields, "default_hourly_rate", Decimal("NaN"), "`defaultHourlyRate` must be a number, for example `12.50`."),
        (ClientFinancialFields, "payment_term_days", 366, "`paymentTermDays` must be 365 or less."),
        (ClientFinancialFields, "payment_term_days", "30.5", "`paymentTermDays` must be a whole number, for example `30`."),
        (ClientFinancialFields, "invoice_delivery", None, "`invoiceDelivery` cannot be empty."),
        (TimeFields, "minutes", 0, "`minutes` must be more than 0."),
        (RegistrationFields, "registered_on", "yesterday", "`registeredOn` must be a day, for example `2026-01-31`."),
        (TimeFields, "started_at", "noon", "`startedAt` must be a moment, for example `2026-01-31T09:00:00Z`."),
        (ProjectFields, "name", 5, "`name` must be a text."),
        (ProjectFields, "name", " \u200b ", "`name` cannot be empty."),
        (LabelFields, "color", "", "`color` cannot be empty."),
        (LabelFields, "color", "red", "A colour is a # and six hexadecimal digits, for example `#1D4ED8`."),
    ],
)  # fmt: skip
def test_a_limit_is_told_in_words_for_who_fills_in(fields: type[BaseModel], name: str, value: object, says: str) -> None:
    """The limit itself, and an example where that helps; in a creation and in a change."""
    current = dict.fromkeys(fields.model_fields)
    assert says in faults(fields, {name: value}).values()
    assert list(patch_faults(fields, current, {name: value}).values()) == [says]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("name", "x" * 801, "`name` has at most 200 characters; this has 801."),
        ("kvk_number", "1" + " " * 32, "`kvkNumber` has at most 8 characters; this has 33."),
        ("kvk_number", "6 8 7 5 0 1 1 0  ", None),
        ("name", "a" + "\u0300" * 31, "A character has at most 30 combining marks, for example `Café Zürich`."),
        ("kind", "COMPANY" * 100, "`kind` has at most 100 characters; this has 700."),
    ],
)
def test_a_text_is_limited_before_anything_is_done_with_it(name: str, value: str, says: str | None) -> None:
    """To four times what its field takes: it may be written with separators, or with marks that stand apart."""
    if says is None:
        assert validate(ClientFields, {"name": "X", name: value}).kvk_number == "68750110"
    else:
        assert faults(ClientFields, {"name": "X", name: value})[to_camel_case(name)] == says


def test_what_is_missing_is_told_beside_what_is_wrong() -> None:
    """A fault of one field hides none of another."""
    assert faults(MemberFields, {"email": "x"}).keys() == {"name", "email"}
    assert faults(MemberFields, {"email": "x"})["name"] == "`name` is missing."


def test_what_passes_is_stored_in_one_form() -> None:
    """Texts trimmed and empty ones null, identifiers without separators, defaults where nothing was given."""
    client = validate(
        ClientFields,
        {
            "name": " Cafe\u0301\tde\r\nZon ", "number": " ", "email": "", "phone": "020-5550123", "notes": "een\r\ntwee",
            "kvk_number": "6875.0110", "language": "NL", "kind": ClientKind.PERSON, "unknown": "left alone",
        },
    )  # fmt: skip
    expected = ClientFields(
        name="Café de Zon", phone="+31 20 555 0123", notes="een\ntwee", kvk_number="68750110", language="nl", kind=ClientKind.PERSON
    )
    assert client == expected
    assert isinstance(client.kind, StrEnum)


def test_telephone_numbers_are_those_of_the_organization() -> None:
    """The same digits are another number in another country."""
    assert validate(ClientFields, {"name": "A", "phone": "02 555 01 22"}, country="BE").phone == "+32 2 555 01 22"
    assert validate_patch(ContactFields, JANSEN, {"mobile": "0470 12 34 56"}, country="BE") == {"mobile": "+32 470 12 34 56"}


def test_a_postal_code_is_that_of_its_own_country_and_else_of_the_organization() -> None:
    """The country of the address comes first; a wrong country leaves the code in peace."""
    assert validate(AddressFields, {"postal_code": "1012ab"}).postal_code == "1012 AB"
    assert validate(AddressFields, {"postal_code": "1000", "country": "be"}).postal_code == "1000"
    assert faults(AddressFields, {"postal_code": "1000", "country": "NL"}).keys() == {"postalCode"}
    assert faults(AddressFields, {"postal_code": "1012ab", "country": "XX"}).keys() == {"country"}


def test_a_person_has_a_name() -> None:
    """One of two; said where something was given, and not when that is wrong in itself."""
    assert validate(ContactFields, {"first_name": "An"}).first_name == "An"
    assert faults(ContactFields, {}).keys() == {"lastName"}
    assert faults(ContactFields, {"first_name": " "}).keys() == {"firstName"}
    assert faults(ContactFields, {"first_name": "x" * 101}).keys() == {"firstName"}


def test_a_change_is_only_what_was_given() -> None:
    """Absent stays absent, and null clears what may be empty."""
    assert validate_patch(ClientFields, CLIENT, {}) == {}
    assert validate_patch(ClientFields, CLIENT, {"phone": None, "notes": " "}) == {"phone": None, "notes": None}
    assert validate_patch(ClientFields, CLIENT, {"name": " Jansen  "}) == {"name": "Jansen"}
    assert patch_faults(ClientFields, CLIENT, {"name": None, "kind": None}).keys() == {"patch.name", "patch.kind"}
    assert patch_faults(ClientFields, CLIENT, {"name": "", "vat_number": "BE1"}).keys() == {"patch.name", "patch.vatNumber"}


def test_what_does_not_change_is_not_checked_again() -> None:
    """A number of before the rules keeps nobody from changing a note."""
    assert validate_patch(ClientFields, {**CLIENT, "kvk_number": "old", "name": ""}, {"notes": "x"}) == {"notes": "x"}
    assert validate_patch(AddressFields, {**DUTCH, "postal_code": "old"}, {"city": "Gent"}) == {"city": "Gent"}


def test_a_change_of_country_asks_for_a_postal_code_that_is_right_there() -> None:
    """Said of what was given; one that is right there comes along in its form."""
    assert patch_faults(AddressFields, DUTCH, {"country": "BE"}).keys() == {"patch.country"}
    assert patch_faults(AddressFields, DUTCH, {"country": "BE", "postal_code": "x"}).keys() == {"patch.postalCode"}
    assert patch_faults(AddressFields, DUTCH, {"postal_code": "9000"}).keys() == {"patch.postalCode"}
    assert validate_patch(AddressFields, DUTCH, {"country": "DE"}) == {"country": "DE"}
    assert validate_patch(AddressFields, DUTCH, {"country": "BE", "postal_code": None}) == {"country": "BE", "postal_code": None}
    assert validate_patch(AddressFields, {**DUTCH, "country": "DE", "postal_code": "1012ab"}, {"country": None}) == {
        "country": None,
        "postal_code": "1012 AB",
    }


def test_a_change_leaves_a_person_a_name() -> None:
    """The one may go while the other stays."""
    assert validate_patch(ContactFields, JANSEN, {"first_name": None}) == {"first_name": None}
    assert validate_patch(ContactFields, JANSEN, {"first_name": "An", "last_name": None}) == {"first_name": "An", "last_name": None}
    assert patch_faults(ContactFields, JANSEN, {"last_name": ""}).keys() == {"patch.lastName"}
    assert validate_patch(ContactFields, {**JANSEN, "last_name": None}, {"notes": "x"}) == {"notes": "x"}


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.text()
    | st.sampled_from(["NL", "BE", "1012ab", "a@b.example", "68750110"])
)


@pytest.mark.parametrize("fields", FIELD_SETS, ids=lambda fields: fields.__name__)
@given(data=st.data())
def test_whatever_is_filled_in_is_stored_or_refused(fields: type[BaseModel], data: st.DataObject) -> None:
    """Never a failure of the program; every path is a field that was given or missed; what is stored passes again unchanged."""
    values = data.draw(st.dictionaries(st.sampled_from(sorted(fields.model_fields)), VALUES))
    try:
        stored = validate(fields, values)
    except RuleViolation:
        told = faults(fields, values)
        assert told.keys() <= set(map(to_camel_case, fields.model_fields))
        assert all(message.endswith(".") for message in told.values())
    else:
        assert validate(fields, stored.model_dump()) == stored == fields.model_validate(stored.model_dump())
        assert validate_patch(fields, stored.model_dump(), values) == {
            name: getattr(stored, name) for name in fields.model_fields if name in values
        }


def test_every_rule_belongs_to_a_field_and_every_path_is_graphql_s() -> None:
    """A name that no field set has would check nothing."""
    known = {name for fields in FIELD_SETS for name in fields.model_fields}
    assert RULES.keys() | RULES_BY_COUNTRY.keys() | MULTILINE <= known
    with pytest.raises(RuleViolation) as refused:
        validate(ClientFields, {"name": "A", **dict.fromkeys(ClientFields.model_fields.keys() - {"name"}, object())})
    assert [refusal.path for refusal in refused.value.user_errors] == [
        [to_camel_case(name)] for name in ClientFields.model_fields if name != "name"
    ]


def test_the_demo_passes_all_rules_as_it_is() -> None:
    """Its clients, addresses, contacts, members and labels are stored in the very form that a user's would be."""
    known = invent_people(DEMO, 3_000, 400).contacts
    rows: list[tuple[type[BaseModel], dict[str, object]]] = [
        *((fields, client.row._asdict()) for client in DEMO for fields in (ClientFields, ClientFinancialFields)),
        *((AddressFields, address._asdict()) for client in DEMO for address in client.addresses),
        *((ContactFields, contact._asdict()) for contact in known),
        *((MemberFields, member._asdict()) for member in HOUSE.members),
        *((LabelFields, label._asdict()) for label in HOUSE.labels),
        *((VatRateFields, rate._asdict()) for rate in HOUSE.rates),
        *((InvoiceLayoutFields, layout._asdict()) for layout in HOUSE.layouts),
        (OrganizationFields, OrganizationRecord()._asdict()),
    ]
    for fields, row in rows:
        given = {name: row[name] for name in fields.model_fields if name in row}
        assert validate(fields, given).model_dump(include=set(given)) == given
