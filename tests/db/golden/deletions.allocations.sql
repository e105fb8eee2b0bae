DELETE FROM relaties.payment_allocation WHERE relaties.payment_allocation.tenant_id = $1::UUID AND relaties.payment_allocation.client_id = $2::UUID
