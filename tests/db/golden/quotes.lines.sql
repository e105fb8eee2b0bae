SELECT page.id,
  page.quote_id,
  page.currency,
  page.position,
  page.description,
  page.quantity,
  page.unit_price,
  page.vat_percentage,
  page.net,
  page.vat,
  page.project_id
FROM unnest($1::UUID[]) AS asked(id) JOIN LATERAL (SELECT relaties.quote_line.id AS id,
  relaties.quote_line.quote_id AS quote_id,
  relaties.quote.currency AS currency,
  relaties.quote_line.position AS position,
  relaties.quote_line.description AS description,
  CAST(relaties.quote_line.quantity AS TEXT) AS quantity,
  CAST(relaties.quote_line.unit_price AS TEXT) AS unit_price,
  CAST(relaties.quote_line.vat_percentage AS TEXT) AS vat_percentage,
  CAST(relaties.quote_line.net AS TEXT) AS net,
  CAST(relaties.quote_line.vat AS TEXT) AS vat,
  relaties.quote_line.project_id AS project_id
FROM relaties.quote_line JOIN relaties.quote ON relaties.quote.tenant_id = $2::UUID AND relaties.quote.id = relaties.quote_line.quote_id
WHERE relaties.quote_line.tenant_id = $2::UUID AND relaties.quote_line.quote_id = asked.id ORDER BY relaties.quote_line.position,
  relaties.quote_line.id
 LIMIT $3::INTEGER) AS page ON true ORDER BY asked.id,
  page.position,
  page.id
