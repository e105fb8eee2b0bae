SELECT relaties.quote.id AS id,
  relaties.quote.client_id AS client_id,
  relaties.quote.number AS number,
  relaties.quote.status AS status,
  relaties.quote.quote_date AS quote_date,
  relaties.quote.valid_until AS valid_until,
  relaties.quote.currency AS currency,
  CAST(relaties.quote.net AS TEXT) AS net,
  CAST(relaties.quote.vat AS TEXT) AS vat,
  CAST(relaties.quote.gross AS TEXT) AS gross,
  relaties.quote.reference AS reference,
  relaties.quote.created_at AS created_at,
  relaties.quote.updated_at AS updated_at,
  relaties.quote.version AS version
FROM relaties.quote
WHERE relaties.quote.tenant_id = $1::UUID AND relaties.quote.id = ANY ($2::UUID[])
