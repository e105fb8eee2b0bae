DELETE FROM relaties.payment WHERE relaties.payment.tenant_id = $1::UUID AND relaties.payment.id = ANY ($2::UUID[]) AND NOT (EXISTS (SELECT *
FROM relaties.payment_allocation
WHERE relaties.payment_allocation.tenant_id = $1::UUID AND relaties.payment_allocation.payment_id = relaties.payment.id))
