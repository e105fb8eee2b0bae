SELECT relaties.registration.id AS registration_id,
  relaties.registration.kind AS kind,
  relaties.registration.is_billable AS is_billable,
  relaties.project.invoice_method AS invoice_method,
  relaties.registration.currency AS currency,
  CAST(relaties.registration.unit_rate AS TEXT) AS unit_rate,
  relaties.registration.rate_source AS rate_source,
  CAST(relaties.registration.unit_price AS TEXT) AS unit_price,
  CAST(relaties.registration.amount_net AS TEXT) AS amount_net,
  relaties.registration.vat_rate_id AS vat_rate_id
FROM relaties.registration LEFT OUTER JOIN relaties.project ON relaties.project.tenant_id = $1::UUID AND relaties.project.id = relaties.registration.project_id
WHERE relaties.registration.tenant_id = $1::UUID AND relaties.registration.id = ANY ($2::UUID[])
