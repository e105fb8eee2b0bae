SELECT relaties.invoice.id
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.client_id = $2::UUID FOR UPDATE
