{{/* Parts of the pools of workers. */}}

{{/* A pool with what it has from workers.defaults, as JSON: dict root, pool. */}}
{{- define "tessera.pool" -}}
{{- mergeOverwrite (deepCopy .root.Values.workers.defaults) (deepCopy .pool) | toJson -}}
{{- end -}}

{{/* Name of a pool's objects: dict root, pool. */}}
{{- define "tessera.pool.name" -}}
{{ include "tessera.fullname" .root }}-worker-{{ .pool.name }}
{{- end -}}

{{/* The resource that gives a pool its GPU. */}}
{{- define "tessera.pool.gpuResource" -}}
{{- if .gpu.migProfile -}}nvidia.com/mig-{{ .gpu.migProfile }}{{- else -}}{{ .gpu.resource }}{{- end -}}
{{- end -}}

{{/* Resources of a worker, with its GPU. */}}
{{- define "tessera.pool.resources" -}}
{{- $resources := deepCopy (default (dict) .resources) -}}
{{- if .gpu.enabled -}}
{{- $gpu := dict (include "tessera.pool.gpuResource" .) 1 -}}
{{- $resources = mergeOverwrite $resources (dict "limits" $gpu "requests" $gpu) -}}
{{- end -}}
{{ toYaml $resources }}
{{- end -}}

{{/* What the threads of the CPU device follow: the cores that a worker may use,
else those it asks for, else (as Kubernetes has it) the node's. */}}
{{- define "tessera.pool.cores" -}}
{{- $resources := default (dict) .resources -}}
{{- $limited := hasKey (default (dict) $resources.limits) "cpu" -}}
{{- $asked := hasKey (default (dict) $resources.requests) "cpu" -}}
{{- ternary "requests.cpu" "limits.cpu" (and $asked (not $limited)) -}}
{{- end -}}

{{/* Seconds from SIGTERM to the end: a batch of pictures, then at most 30 s in
which an absent coordinator is waited for, and some for the commit. */}}
{{- define "tessera.pool.grace" -}}
{{- if kindIs "invalid" .terminationGracePeriodSeconds -}}
{{ add .pictureSeconds 45 }}
{{- else -}}
{{ int64 .terminationGracePeriodSeconds }}
{{- end -}}
{{- end -}}

{{/* Flags of a worker: dict root, pool. */}}
{{- define "tessera.pool.args" -}}
{{- $values := .root.Values -}}
- "--coordinator={{ include "tessera.coordinator.address" .root }}"
- "--models={{ $values.models.mountPath }}"
- "--device={{ default (ternary "cuda:0" "cpu" .pool.gpu.enabled) .pool.device }}"
{{- with .pool.batch }}
- "--batch={{ . }}"
{{- end }}
{{- with .pool.loras }}
{{- $files := list }}
{{- range $name, $file := . }}{{ $files = append $files (printf "%s=%s" $name $file) }}{{ end }}
- "--lora={{ join "," $files }}"
{{- end }}
{{- if ne .pool.loraCache.type "none" }}
- "--lora-cache=/var/cache/tessera/loras"
- "--lora-cache-bytes={{ int64 .pool.loraCache.bytes }}"
{{- end }}
- "--lora-memory-bytes={{ int64 .pool.loraCache.memoryBytes }}"
- "--metrics-listen={{ $values.listenHost }}:{{ .pool.metricsPort }}"
- "--log-format={{ $values.logFormat }}"
{{- range .pool.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{/* The volume that holds the models, where it is not the image itself. */}}
{{- define "tessera.models.volume" -}}
{{- $models := .Values.models -}}
{{- if eq $models.type "persistentVolumeClaim" }}
- name: models
  persistentVolumeClaim:
    claimName: {{ required "models.persistentVolumeClaim.claimName: name the claim that holds the models" $models.persistentVolumeClaim.claimName }}
    readOnly: true
{{- else if eq $models.type "hostPath" }}
- name: models
  hostPath:
    path: {{ required "models.hostPath.path: name the folder on the node that holds the models" $models.hostPath.path }}
    type: Directory
{{- else if eq $models.type "image" }}
- name: models
  image:
    reference: {{ required "models.image.reference: name the image that holds the models" $models.image.reference }}
    pullPolicy: {{ $models.image.pullPolicy }}
{{- else if eq $models.type "emptyDir" }}
- name: models
  emptyDir:
    {{- with $models.emptyDir.sizeLimit }}
    sizeLimit: {{ . }}
    {{- else }} {}
    {{- end }}
{{- end }}
{{- end -}}

{{/* The mount of the models. */}}
{{- define "tessera.models.mount" -}}
{{- if ne .Values.models.type "bundled" }}
- name: models
  mountPath: {{ .Values.models.mountPath }}
  readOnly: true
  {{- with .Values.models.subPath }}
  subPath: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The volume of the LoRA cache; an emptyDir has room for downloads too. */}}
{{- define "tessera.pool.loraCacheVolume" -}}
{{- $cache := .loraCache -}}
{{- if ne $cache.type "none" }}
- name: lora-cache
  {{- if eq $cache.type "emptyDir" }}
  emptyDir:
    sizeLimit: {{ int64 (add (int64 $cache.bytes) (div (int64 $cache.bytes) 10)) | quote }}
  {{- else if eq $cache.type "hostPath" }}
  hostPath:
    path: {{ $cache.hostPath.path }}
    type: DirectoryOrCreate
  {{- else if eq $cache.type "persistentVolumeClaim" }}
  persistentVolumeClaim:
    claimName: {{ required (printf "workers.pools: %s: loraCache.persistentVolumeClaim.claimName: name the claim" .name) $cache.persistentVolumeClaim.claimName }}
  {{- else }}
  ephemeral:
    volumeClaimTemplate:
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $cache.ephemeral.storageClass }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ $cache.ephemeral.size }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Whether something else sets the number of pods: "true" or nothing. */}}
{{- define "tessera.pool.scaled" -}}
{{- if or .autoscaling.hpa.enabled .autoscaling.keda.enabled }}true{{ end -}}
{{- end -}}

{{/* PromQL of the wanted workers: shards that wait or are leased. */}}
{{- define "tessera.pool.kedaQuery" -}}
{{- $labels := printf `{namespace="%s",job="%s"}` .Release.Namespace .Release.Name -}}
max(tessera_coordinator_waiting_shards{{ $labels }}) + max(tessera_coordinator_leases{{ $labels }})
{{- end -}}
