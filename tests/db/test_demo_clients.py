"""The demo organization: realistic clients and contacts, with numbers whose check digits are correct."""

import re

import asyncpg

from db.tables.keys import name_key
from tests.support.demo_data import SMALL_SIZE


def modulo_97(text: str) -> int:
    return int("".join(str(int(sign, 36)) for sign in text)) % 97


def is_iban(text: str) -> bool:
    length = {"NL": 18, "BE": 16}[text[:2]]
    return len(text) == length and modulo_97(text[4:] + text[:4]) == 1


def is_kbo(text: str) -> bool:
    return bool(re.fullmatch(r"[01][0-9]{9}", text)) and int(text[8:]) == 97 - int(text[:8]) % 97


def is_vat(text: str) -> bool:
    if text.startswith("BE"):
        return is_kbo(text[2:])
    if text.startswith("DE"):
        return bool(re.fullmatch(r"DE[1-9][0-9]{8}", text)) and mod_11_10(text[2:])
    digits = [int(digit) for digit in text[2:11]]
    total = sum((9 - index) * digit for index, digit in enumerate(digits[:8])) - digits[8]
    return bool(re.fullmatch(r"NL[0-9]{9}B01", text)) and total % 11 == 0


def mod_11_10(text: str) -> bool:
    check = 5
    for digit in text:
        check = ((check or 10) * 2 % 11 + int(digit)) % 10
    return check == 1


async def test_shared_contacts_have_two_to_four_clients_and_others_one(demo_connection: asyncpg.Connection) -> None:
    rows = await demo_connection.fetch("SELECT count(client_id) AS clients FROM relaties.client_contact GROUP BY contact_id")

    assert sum(row["clients"] in {2, 3, 4} for row in rows) == SMALL_SIZE.shared_contacts
    assert sum(row["clients"] == 1 for row in rows) == SMALL_SIZE.contacts - SMALL_SIZE.shared_contacts


async def test_positions_of_contacts_have_no_gaps(demo_connection: asyncpg.Connection) -> None:
    """Positions start at zero, and no client has more than eight contacts."""
    rows = await demo_connection.fetch(
        "SELECT array_agg(position ORDER BY position) AS positions FROM relaties.client_contact GROUP BY client_id"
    )

    assert all(row["positions"] == list(range(len(row["positions"]))) and len(row["positions"]) <= 8 for row in rows)


async def test_all_identifiers_have_valid_check_digits(demo_connection: asyncpg.Connection) -> None:
    """The checks here share no code with the generator."""
    rows = await demo_connection.fetch("SELECT kvk_number, kvk_branch_number, kbo_number, vat_number, iban, bic FROM relaties.client")

    assert all(re.fullmatch("[0-9]{8}", row["kvk_number"]) for row in rows if row["kvk_number"])
    assert all(re.fullmatch("[0-9]{12}", row["kvk_branch_number"]) for row in rows if row["kvk_branch_number"])
    assert all(is_kbo(row["kbo_number"]) for row in rows if row["kbo_number"])
    assert all(is_vat(row["vat_number"]) for row in rows if row["vat_number"])
    assert all(is_iban(row["iban"]) and re.fullmatch("[A-Z]{6}[A-Z0-9]{2}", row["bic"]) for row in rows if row["iban"])
    assert {len([row for row in rows if row[column]]) > 0 for column in ("kvk_number", "kbo_number", "vat_number", "iban")} == {True}


async def test_postal_codes_have_the_form_of_their_country(demo_connection: asyncpg.Connection) -> None:
    """Dutch postal codes end in two letters, of which SA, SD and SS are not assigned; Belgian ones have four digits."""
    forms = {"NL": r"[1-9][0-9]{3} (?!S[ADS])[A-Z]{2}", "BE": "[1-9][0-9]{3}"}
    rows = await demo_connection.fetch("SELECT country, postal_code FROM relaties.client_address WHERE country = ANY($1)", list(forms))

    assert rows
    assert all(re.fullmatch(forms[row["country"]], row["postal_code"]) for row in rows)


async def test_email_addresses_and_websites_use_reserved_names(demo_connection: asyncpg.Connection) -> None:
    """All are under `.example`, so that they belong to nobody."""
    rows = await demo_connection.fetch(
        """SELECT email AS address FROM relaties.client UNION ALL SELECT website FROM relaties.client
        UNION ALL SELECT email FROM relaties.contact UNION ALL SELECT email FROM relaties.member"""
    )

    assert all(re.fullmatch(r"(https://|[a-z.-]+@)[a-z0-9.-]+\.example", row["address"]) for row in rows if row["address"])


async def test_currencies_are_those_of_the_country(demo_connection: asyncpg.Connection) -> None:
    """Clients use pounds in Britain, dollars in America and euros elsewhere. Any invoice can also be in euros, with the rate 1."""
    clients = await demo_connection.fetch(
        """SELECT a.country, c.currency FROM relaties.client c
        JOIN relaties.client_address a ON a.client_id = c.id AND a.type = 'PRIMARY'"""
    )
    own = {"GB": "GBP", "US": "USD"}
    invoices = await demo_connection.fetch(
        "SELECT i.currency, i.exchange_rate, c.currency AS own FROM relaties.invoice i JOIN relaties.client c ON c.id = i.client_id"
    )

    assert {row["country"] for row in clients} == {"NL", "BE", "GB", "US", "DE"}
    assert len(clients) == SMALL_SIZE.clients
    assert all(row["currency"] == own.get(row["country"], "EUR") for row in clients)
    assert {row["currency"] for row in invoices} == {"EUR", "GBP", "USD"}
    assert all(row["currency"] in {"EUR", row["own"]} for row in invoices)
    assert all((row["exchange_rate"] == 1) == (row["currency"] == "EUR") for row in invoices)


async def test_some_clients_share_a_name_but_never_a_number(demo_connection: asyncpg.Connection) -> None:
    """Numbers keep their leading zeros, and some clients have no number."""
    rows = await demo_connection.fetch("SELECT name, number, name_key, number_key FROM relaties.client")
    numbers = [row["number"] for row in rows if row["number"]]

    assert len({row["name"] for row in rows}) == SMALL_SIZE.clients - 1
    assert len(numbers) == len(set(numbers)) < SMALL_SIZE.clients
    assert all(re.fullmatch("0[0-9]{3}", number) for number in numbers)
    assert all(row["name_key"] == name_key(row["name"]) and row["number_key"] == row["number"] for row in rows)


async def test_archived_client_has_archived_projects_and_no_later_registrations(demo_connection: asyncpg.Connection) -> None:
    """Only the projects of archived clients are archived, at the same time as the client."""
    archived = await demo_connection.fetch("SELECT archived_by FROM relaties.client WHERE archived_at IS NOT NULL")
    projects = await demo_connection.fetch(
        """SELECT c.archived_at AS of_client, p.archived_at FROM relaties.client c JOIN relaties.project p ON p.client_id = c.id"""
    )
    since = """SELECT count(*) FROM relaties.registration r JOIN relaties.client c ON c.id = r.client_id
        WHERE r.registered_on > c.archived_at::date"""

    assert len(archived) == SMALL_SIZE.clients * 6 // 100
    assert all(client["archived_by"] for client in archived)
    assert any(project["of_client"] for project in projects)
    assert all(project["archived_at"] == project["of_client"] for project in projects)
    assert await demo_connection.fetchval(since) == 0
