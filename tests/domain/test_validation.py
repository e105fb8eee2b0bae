"""User input is validated as a whole: every error has its path and a message, and valid values are stored in one form."""

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
ORGANIZATION = build_organization(b"", 25)
DEMO: list[DemoClient] = invent_clients(1_000, ORGANIZATION)
CLIENT = ClientFields(name="Bakkerij Jansen", phone="+31 20 555 0123").model_dump()
DUTCH = AddressFields(postal_code="1012 AB", country="NL").model_dump()
JANSEN = ContactFields(last_name="Jansen").model_dump()


def validation_errors(fields: type[BaseModel], values: Mapping[str, object], at: tuple[str, ...] = ()) -> dict[str, str]:
    with pytest.raises(RuleViolation) as raised_error:
        validate(fields, values, path=at)
    return {".".join(refusal.path): refusal.message for refusal in raised_error.value.user_errors if isinstance(refusal, InvalidInput)}


def patch_errors(fields: type[BaseModel], current: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, str]:
    with pytest.raises(RuleViolation) as raised_error:
        validate_patch(fields, current, changes, path=("patch",))
    return {".".join(refusal.path): refusal.message for refusal in raised_error.value.user_errors}


def test_all_errors_are_reported_in_field_order() -> None:
    """Errors of texts, rules and limits are reported together, each with its path in the input."""
    wrong: dict[str, object] = {
        "name": "x" * 201, "kind": "CLUB", "is_prospect": "perhaps", "email": "nobody", "notes": "\0", "kvk_number": "1",
        "vat_number": "NL1",
    }  # fmt: skip
    errors = validation_errors(ClientFields, wrong, at=("clients", "0"))

    assert list(errors) == [f"clients.0.{name}" for name in ("name", "kind", "isProspect", "email", "notes", "kvkNumber", "vatNumber")]
    assert errors["clients.0.name"] == "`name` must have at most 200 characters; this has 201."
    assert errors["clients.0.kind"] == "`kind` must be one of 'COMPANY', 'PERSON' or 'GOVERNMENT'."
    assert errors["clients.0.isProspect"] == "`isProspect` must be true or false."
    assert errors["clients.0.kvkNumber"] == "A KvK number must have 8 digits, for example `68750110`."


@pytest.mark.parametrize(
    ("fields", "name", "value", "says"),
    [
        (ClientFinancialFields, "default_hourly_rate", "-1", "`defaultHourlyRate` must be 0 or more."),
        (ClientFinancialFields, "default_hourly_rate", "1.23456",
         "`defaultHourlyRate` must have at most 4 digits after the decimal point."),
        (ClientFinancialFields, "default_hourly_rate", "1" * 16,
         "`defaultHourlyRate` must have at most 15 digits before the decimal point."),
        (ClientFinancialFields, "default_hourly_rate", "1" * 20, "`defaultHourlyRate` must have at most 19 digits."),
        (ClientFinancialFields, "default_hourly_rate", "much", "`defaultHourlyRate` must be a number, for example `12.50`."),
        (ClientFinancialFields, "default_hourly_rate", Decimal("NaN"), "`defaultHourlyRate` must be a number, for example `12.50`."),
        (ClientFinancialFields, "payment_term_days", 366, "`paymentTermDays` must be 365 or less."),
        (ClientFinancialFields, "payment_term_days", "30.5", "`paymentTermDays` must be a whole number, for example `30`."),
        (ClientFinancialFields, "invoice_delivery", None, "`invoiceDelivery` cannot be empty."),
        (TimeFields, "minutes", 0, "`minutes` must be more than 0."),
        (RegistrationFields, "registered_on", "yesterday", "`registeredOn` must be a date, for example `2026-01-31`."),
        (TimeFields, "started_at", "noon", "`startedAt` must be a date and time, for example `2026-01-31T09:00:00Z`."),
        (ProjectFields, "name", 5, "`name` must be text."),
        (ProjectFields, "name", " \u200b ", "`name` cannot be empty."),
        (LabelFields, "color", "", "`color` cannot be empty."),
        (LabelFields, "color", "red", "A colour must be a # and six hexadecimal digits, for example `#1D4ED8`."),
    ],
)  # fmt: skip
def test_limit_is_explained_to_users(fields: type[BaseModel], name: str, value: object, says: str) -> None:
    """The message is the same in a creation and in a change."""
    current = dict.fromkeys(fields.model_fields)
    assert says in validation_errors(fields, {name: value}).values()
    assert list(patch_errors(fields, current, {name: value}).values()) == [says]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("name", "x" * 801, "`name` must have at most 200 characters; this has 801."),
        ("kvk_number", "1" + " " * 32, "`kvkNumber` must have at most 8 characters; this has 33."),
        ("kvk_number", "6 8 7 5 0 1 1 0  ", None),
        ("name", "a" + "\u0300" * 31, "A character must have at most 30 combining marks, for example `Café Zürich`."),
        ("kind", "COMPANY" * 100, "`kind` must have at most 100 characters; this has 700."),
    ],
)
def test_text_is_limited_before_other_processing(name: str, value: str, says: str | None) -> None:
    """The first limit is four times that of the field, since a valid text may have separators or decomposed marks."""
    if says is None:
        assert validate(ClientFields, {"name": "X", name: value}).kvk_number == "68750110"
    else:
        assert validation_errors(ClientFields, {"name": "X", name: value})[to_camel_case(name)] == says


def test_missing_fields_are_reported_beside_invalid_ones() -> None:
    assert validation_errors(MemberFields, {"email": "x"}).keys() == {"name", "email"}
    assert validation_errors(MemberFields, {"email": "x"})["name"] == "`name` is required."


def test_valid_values_are_stored_in_normal_form() -> None:
    """Texts are trimmed, empty texts become null, identifiers lose separators, and absent fields get their defaults."""
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


def test_phone_numbers_use_the_country_of_the_organization() -> None:
    """The same digits are a different number in another country."""
    assert validate(ClientFields, {"name": "A", "phone": "02 555 01 22"}, country="BE").phone == "+32 2 555 01 22"
    assert validate_patch(ContactFields, JANSEN, {"mobile": "0470 12 34 56"}, country="BE") == {"mobile": "+32 470 12 34 56"}


def test_postal_code_uses_the_country_of_its_address_first() -> None:
    """If the country is invalid, only the country is reported and not the postal code."""
    assert validate(AddressFields, {"postal_code": "1012ab"}).postal_code == "1012 AB"
    assert validate(AddressFields, {"postal_code": "1000", "country": "be"}).postal_code == "1000"
    assert validation_errors(AddressFields, {"postal_code": "1000", "country": "NL"}).keys() == {"postalCode"}
    assert validation_errors(AddressFields, {"postal_code": "1012ab", "country": "XX"}).keys() == {"country"}


def test_person_requires_a_name() -> None:
    """First or last name is required. The error has the path of a supplied field, unless that field has an error itself."""
    assert validate(ContactFields, {"first_name": "An"}).first_name == "An"
    assert validation_errors(ContactFields, {}).keys() == {"lastName"}
    assert validation_errors(ContactFields, {"first_name": " "}).keys() == {"firstName"}
    assert validation_errors(ContactFields, {"first_name": "x" * 101}).keys() == {"firstName"}


def test_change_contains_only_supplied_fields() -> None:
    """Absent fields stay absent, and null clears optional fields."""
    assert validate_patch(ClientFields, CLIENT, {}) == {}
    assert validate_patch(ClientFields, CLIENT, {"phone": None, "notes": " "}) == {"phone": None, "notes": None}
    assert validate_patch(ClientFields, CLIENT, {"name": " Jansen  "}) == {"name": "Jansen"}
    assert patch_errors(ClientFields, CLIENT, {"name": None, "kind": None}).keys() == {"patch.name", "patch.kind"}
    assert patch_errors(ClientFields, CLIENT, {"name": "", "vat_number": "BE1"}).keys() == {"patch.name", "patch.vatNumber"}


def test_unchanged_values_are_not_validated_again() -> None:
    """A number that was stored before a rule existed does not prevent changing a note."""
    assert validate_patch(ClientFields, {**CLIENT, "kvk_number": "old", "name": ""}, {"notes": "x"}) == {"notes": "x"}
    assert validate_patch(AddressFields, {**DUTCH, "postal_code": "old"}, {"city": "Gent"}) == {"city": "Gent"}


def test_change_of_country_revalidates_the_postal_code() -> None:
    """The error has the path of a supplied field. A postal code that is valid in the new country is stored in that country's form."""
    assert patch_errors(AddressFields, DUTCH, {"country": "BE"}).keys() == {"patch.country"}
    assert patch_errors(AddressFields, DUTCH, {"country": "BE", "postal_code": "x"}).keys() == {"patch.postalCode"}
    assert patch_errors(AddressFields, DUTCH, {"postal_code": "9000"}).keys() == {"patch.postalCode"}
    assert validate_patch(AddressFields, DUTCH, {"country": "DE"}) == {"country": "DE"}
    assert validate_patch(AddressFields, DUTCH, {"country": "BE", "postal_code": None}) == {"country": "BE", "postal_code": None}
    assert validate_patch(AddressFields, {**DUTCH, "country": "DE", "postal_code": "1012ab"}, {"country": None}) == {
        "country": None,
        "postal_code": "1012 AB",
    }


def test_change_must_leave_a_person_a_name() -> None:
    """Either name can be cleared while the other stays."""
    assert validate_patch(ContactFields, JANSEN, {"first_name": None}) == {"first_name": None}
    assert validate_patch(ContactFields, JANSEN, {"first_name": "An", "last_name": None}) == {"first_name": "An", "last_name": None}
    assert patch_errors(ContactFields, JANSEN, {"last_name": ""}).keys() == {"patch.lastName"}
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
def test_input_is_stored_or_rejected(fields: type[BaseModel], data: st.DataObject) -> None:
    """There is no other exception, every path is a field of the set, and stored values pass again unchanged."""
    values = data.draw(st.dictionaries(st.sampled_from(sorted(fields.model_fields)), VALUES))
    try:
        stored_values = validate(fields, values)
    except RuleViolation:
        errors = validation_errors(fields, values)
        assert errors.keys() <= set(map(to_camel_case, fields.model_fields))
        assert all(message.endswith(".") for message in errors.values())
    else:
        assert validate(fields, stored_values.model_dump()) == stored_values == fields.model_validate(stored_values.model_dump())
        assert validate_patch(fields, stored_values.model_dump(), values) == {
            name: getattr(stored_values, name) for name in fields.model_fields if name in values
        }


def test_every_rule_belongs_to_a_field_and_every_path_has_graphql_names() -> None:
    """A rule whose name no field set has would check nothing."""
    known_names = {name for fields in FIELD_SETS for name in fields.model_fields}
    assert RULES.keys() | RULES_BY_COUNTRY.keys() | MULTILINE <= known_names
    with pytest.raises(RuleViolation) as raised_error:
        validate(ClientFields, {"name": "A", **dict.fromkeys(ClientFields.model_fields.keys() - {"name"}, object())})
    assert [refusal.path for refusal in raised_error.value.user_errors] == [
        [to_camel_case(name)] for name in ClientFields.model_fields if name != "name"
    ]


def test_demo_data_passes_all_rules_unchanged() -> None:
    """Demo data is stored in the same form as user input."""
    demo_contacts = invent_people(DEMO, 3_000, 400).contacts
    rows: list[tuple[type[BaseModel], dict[str, object]]] = [
        *((fields, client.row._asdict()) for client in DEMO for fields in (ClientFields, ClientFinancialFields)),
        *((AddressFields, address._asdict()) for client in DEMO for address in client.addresses),
        *((ContactFields, contact._asdict()) for contact in demo_contacts),
        *((MemberFields, member._asdict()) for member in ORGANIZATION.members),
        *((LabelFields, label._asdict()) for label in ORGANIZATION.labels),
        *((VatRateFields, rate._asdict()) for rate in ORGANIZATION.rates),
        *((InvoiceLayoutFields, layout._asdict()) for layout in ORGANIZATION.layouts),
        (OrganizationFields, OrganizationRecord()._asdict()),
    ]
    for fields, row in rows:
        field_values = {name: row[name] for name in fields.model_fields if name in row}
        assert validate(fields, field_values).model_dump(include=set(field_values)) == field_values
