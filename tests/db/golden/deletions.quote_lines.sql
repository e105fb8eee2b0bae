DELETE FROM relaties.quote_line WHERE relaties.quote_line.tenant_id = $1::UUID AND relaties.quote_line.quote_id IN (SELECT relaties.quote.id
FROM relaties.quote
WHERE relaties.quote.tenant_id = $1::UUID AND relaties.quote.client_id = $2::UUID)
