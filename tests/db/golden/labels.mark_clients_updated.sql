UPDATE relaties.client SET updated_at=$1::TIMESTAMP WITH TIME ZONE WHERE relaties.client.tenant_id = $2::UUID AND relaties.client.id IN (SELECT relaties.client_label.client_id
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $2::UUID AND relaties.client_label.label_id = $3::UUID)
