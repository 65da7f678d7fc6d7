{{/* What the schema cannot say; each message names the value. */}}
{{- define "tessera.validate" -}}
{{- $names := dict -}}
{{- range .Values.workers.pools -}}
{{- $pool := include "tessera.pool" (dict "root" $ "pool" .) | fromJson -}}
{{- $where := printf "workers.pools: %s" $pool.name -}}
{{- if hasKey $names $pool.name -}}
{{- fail (printf "%s: two pools have this name" $where) -}}
{{- end -}}
{{- $_ := set $names $pool.name true -}}
{{- $scaling := $pool.autoscaling -}}
{{- if and $scaling.hpa.enabled $scaling.keda.enabled -}}
{{- fail (printf "%s: autoscaling.hpa.enabled and autoscaling.keda.enabled are both true; two autoscalers of one pool undo each other: choose one" $where) -}}
{{- end -}}
{{- if and $scaling.hpa.enabled (lt (int $scaling.minReplicas) 1) -}}
{{- fail (printf "%s: autoscaling.minReplicas is %d; an HPA cannot scale to zero: set 1 or use KEDA" $where (int $scaling.minReplicas)) -}}
{{- end -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- fail (printf "%s: autoscaling.minReplicas %d is more than autoscaling.maxReplicas %d" $where (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- if and $scaling.keda.enabled (not $scaling.keda.triggers) (not $scaling.keda.serverAddress) -}}
{{- fail (printf "%s: autoscaling.keda.serverAddress: name the Prometheus that is asked, or give triggers" $where) -}}
{{- end -}}
{{- if and $pool.gpu.migProfile (not $pool.gpu.enabled) -}}
{{- fail (printf "%s: gpu.migProfile is set but gpu.enabled is not" $where) -}}
{{- end -}}
{{- end -}}
{{- with .Values.coordinator.podDisruptionBudget -}}
{{- if and .enabled (kindIs "invalid" .minAvailable) (kindIs "invalid" .maxUnavailable) -}}
{{- fail "coordinator.podDisruptionBudget: give minAvailable or maxUnavailable" -}}
{{- end -}}
{{- end -}}
{{- end -}}
