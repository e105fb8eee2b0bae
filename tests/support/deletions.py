"""Documents that preview and delete a client, and the preview that is expected for a full client."""

from tests.support.full_client import MARKER

AMOUNTS = "amounts { currency invoiced { amount } outstanding { amount } unbilled { amount } }"
PREVIEW = f"""projectCount registrationCount timeRegistrationCount expenseRegistrationCount mileageRegistrationCount
  unbilledRegistrationCount invoiceCount issuedInvoiceCount paymentCount quoteCount portalCount contactsLeftAloneCount
  contactsLeftAlone {{ fullName }} {AMOUNTS} token expiresAt"""
DELETION_PREVIEW = f"query ($id: ID!) {{ client(by: {{id: $id}}) {{ name deletionPreview {{ {PREVIEW} }} }} }}"
DELETE = f"""mutation ($input: ClientDeleteInput!) {{ clientDelete(input: $input) {{ deletedId
  deleted {{ projectCount registrationCount invoiceCount paymentCount quoteCount portalCount contactCount }}
  userErrors {{ __typename code path message ... on PreviewOutdatedError {{ preview {{ {PREVIEW} }} }}
    ... on FiscalRetentionError {{ issuedInvoiceCount }} }} }} }}"""
EXPECTED_PREVIEW = {
    "projectCount": 2, "registrationCount": 4, "timeRegistrationCount": 2, "expenseRegistrationCount": 1, "mileageRegistrationCount": 1,
    "unbilledRegistrationCount": 3, "invoiceCount": 3, "issuedInvoiceCount": 2, "paymentCount": 1, "quoteCount": 2, "portalCount": 2,
    "contactsLeftAloneCount": 1, "contactsLeftAlone": [{"fullName": f"An {MARKER} persoon"}],
    "amounts": [
        # outstanding: 121.00 less the credit note of 48.40, of which 20.00 and 12.10 are paid; unbilled: 100.00 and expenses of 25.00
        {"currency": "EUR", "invoiced": {"amount": "60.00"}, "outstanding": {"amount": "40.50"}, "unbilled": {"amount": "125.00"}},
        {"currency": "USD", "invoiced": {"amount": "0.00"}, "outstanding": {"amount": "0.00"}, "unbilled": {"amount": "80.00"}},
    ],
}  # fmt: skip
