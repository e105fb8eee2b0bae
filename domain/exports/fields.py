"""The columns that an export of clients can have: fields of the client and of what belongs to it, and revenue of a period."""

from dataclasses import dataclass
from enum import StrEnum

from domain.core.periods import Period


class ExportField(StrEnum):
    """A field that can be a column."""

    NAME = "NAME"
    TRADE_NAME = "TRADE_NAME"
    NUMBER = "NUMBER"
    KIND = "KIND"
    IS_PROSPECT = "IS_PROSPECT"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    WEBSITE = "WEBSITE"
    LANGUAGE = "LANGUAGE"
    NOTES = "NOTES"
    KVK_NUMBER = "KVK_NUMBER"
    KVK_BRANCH_NUMBER = "KVK_BRANCH_NUMBER"
    KBO_NUMBER = "KBO_NUMBER"
    VAT_NUMBER = "VAT_NUMBER"
    PRIMARY_LINE1 = "PRIMARY_LINE1"
    PRIMARY_LINE2 = "PRIMARY_LINE2"
    PRIMARY_POSTAL_CODE = "PRIMARY_POSTAL_CODE"
    PRIMARY_CITY = "PRIMARY_CITY"
    PRIMARY_REGION = "PRIMARY_REGION"
    PRIMARY_COUNTRY = "PRIMARY_COUNTRY"
    PRIMARY_ATTENTION = "PRIMARY_ATTENTION"
    INVOICE_LINE1 = "INVOICE_LINE1"
    INVOICE_LINE2 = "INVOICE_LINE2"
    INVOICE_POSTAL_CODE = "INVOICE_POSTAL_CODE"
    INVOICE_CITY = "INVOICE_CITY"
    INVOICE_REGION = "INVOICE_REGION"
    INVOICE_COUNTRY = "INVOICE_COUNTRY"
    INVOICE_ATTENTION = "INVOICE_ATTENTION"
    DELIVERY_LINE1 = "DELIVERY_LINE1"
    DELIVERY_LINE2 = "DELIVERY_LINE2"
    DELIVERY_POSTAL_CODE = "DELIVERY_POSTAL_CODE"
    DELIVERY_CITY = "DELIVERY_CITY"
    DELIVERY_REGION = "DELIVERY_REGION"
    DELIVERY_COUNTRY = "DELIVERY_COUNTRY"
    DELIVERY_ATTENTION = "DELIVERY_ATTENTION"
    VISITING_LINE1 = "VISITING_LINE1"
    VISITING_LINE2 = "VISITING_LINE2"
    VISITING_POSTAL_CODE = "VISITING_POSTAL_CODE"
    VISITING_CITY = "VISITING_CITY"
    VISITING_REGION = "VISITING_REGION"
    VISITING_COUNTRY = "VISITING_COUNTRY"
    VISITING_ATTENTION = "VISITING_ATTENTION"
    LABELS = "LABELS"
    CURRENCY = "CURRENCY"
    DEFAULT_HOURLY_RATE = "DEFAULT_HOURLY_RATE"
    DEFAULT_MILEAGE_RATE = "DEFAULT_MILEAGE_RATE"
    VAT_TREATMENT = "VAT_TREATMENT"
    VAT_RATE = "VAT_RATE"
    PAYMENT_TERM_DAYS = "PAYMENT_TERM_DAYS"
    IBAN = "IBAN"
    BIC = "BIC"
    INVOICE_LAYOUT = "INVOICE_LAYOUT"
    INVOICE_DELIVERY = "INVOICE_DELIVERY"
    BUYER_REFERENCE = "BUYER_REFERENCE"
    PURCHASE_ORDER_REQUIRED = "PURCHASE_ORDER_REQUIRED"
    INVOICE_CONTACT_FIRST_NAME = "INVOICE_CONTACT_FIRST_NAME"
    INVOICE_CONTACT_LAST_NAME = "INVOICE_CONTACT_LAST_NAME"
    INVOICE_CONTACT_JOB_TITLE = "INVOICE_CONTACT_JOB_TITLE"
    INVOICE_CONTACT_EMAIL = "INVOICE_CONTACT_EMAIL"
    INVOICE_CONTACT_PHONE = "INVOICE_CONTACT_PHONE"
    INVOICE_CONTACT_MOBILE = "INVOICE_CONTACT_MOBILE"
    FIRST_CONTACT_FIRST_NAME = "FIRST_CONTACT_FIRST_NAME"
    FIRST_CONTACT_LAST_NAME = "FIRST_CONTACT_LAST_NAME"
    FIRST_CONTACT_JOB_TITLE = "FIRST_CONTACT_JOB_TITLE"
    FIRST_CONTACT_EMAIL = "FIRST_CONTACT_EMAIL"
    FIRST_CONTACT_PHONE = "FIRST_CONTACT_PHONE"
    FIRST_CONTACT_MOBILE = "FIRST_CONTACT_MOBILE"
    ARCHIVED_AT = "ARCHIVED_AT"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"


ALL_TIME = Period()


RevenueMeasure = StrEnum("RevenueMeasure", ["INVOICED", "PAID", "OUTSTANDING"])
"""An amount of the revenue of a client, in the base currency of the organization. The values are the attributes of a `RevenueRow`."""


@dataclass(frozen=True)
class RevenueColumn:
    """A column with an amount of the revenue of a period."""

    measure: RevenueMeasure
    period: Period = ALL_TIME


ExportColumn = ExportField | RevenueColumn
FINANCIAL_FIELDS = (
    ExportField.CURRENCY,
    ExportField.DEFAULT_HOURLY_RATE,
    ExportField.DEFAULT_MILEAGE_RATE,
    ExportField.VAT_TREATMENT,
    ExportField.VAT_RATE,
    ExportField.PAYMENT_TERM_DAYS,
    ExportField.IBAN,
    ExportField.BIC,
    ExportField.INVOICE_LAYOUT,
    ExportField.INVOICE_DELIVERY,
    ExportField.BUYER_REFERENCE,
    ExportField.PURCHASE_ORDER_REQUIRED,
)
CONTACT_PREFIXES = ("INVOICE_CONTACT_", "FIRST_CONTACT_")
TIME_FIELDS = (ExportField.ARCHIVED_AT, ExportField.CREATED_AT, ExportField.UPDATED_AT)


def is_figure(column: ExportColumn) -> bool:
    """Return whether a column needs FINANCE_READ, as the same field does in the API."""
    return isinstance(column, RevenueColumn) or column in FINANCIAL_FIELDS


def importable_columns(*, has_figures: bool) -> tuple[ExportColumn, ...]:
    """Return the columns that an import of clients takes back: what `clientBulkUpsert` accepts."""
    return tuple(
        field
        for field in ExportField
        if not field.startswith(CONTACT_PREFIXES) and field not in TIME_FIELDS and (has_figures or not is_figure(field))
    )
