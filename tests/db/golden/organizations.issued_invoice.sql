SELECT relaties.invoice.number AS number
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.number IS NOT NULL AND relaties.invoice.status != 'DRAFT' ORDER BY relaties.invoice.number
 LIMIT 1
