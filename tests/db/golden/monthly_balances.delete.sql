DELETE FROM relaties.client_month WHERE relaties.client_month.tenant_id = $1::UUID AND relaties.client_month.client_id = ANY ($2::UUID[]) AND relaties.client_month.month >= $3::DATE
