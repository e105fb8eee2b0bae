SELECT relaties.invoice.id AS id,
  relaties.invoice.client_id AS client_id,
  relaties.invoice.kind AS kind,
  relaties.invoice.number AS number,
  relaties.invoice.status AS status,
  relaties.invoice.invoice_date AS invoice_date,
  relaties.invoice.due_date AS due_date,
  relaties.invoice.currency AS currency,
  CAST(relaties.invoice.net AS TEXT) AS net,
  CAST(relaties.invoice.vat AS TEXT) AS vat,
  CAST(relaties.invoice.gross AS TEXT) AS gross,
  relaties.invoice.version AS version
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.id = ANY ($2::UUID[])
