DELETE FROM relaties.quote WHERE relaties.quote.tenant_id = $1::UUID AND relaties.quote.client_id = $2::UUID
