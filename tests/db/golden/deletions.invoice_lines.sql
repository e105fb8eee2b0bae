DELETE FROM relaties.invoice_line WHERE relaties.invoice_line.tenant_id = $1::UUID AND relaties.invoice_line.invoice_id IN (SELECT relaties.invoice.id
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.client_id = $2::UUID)
