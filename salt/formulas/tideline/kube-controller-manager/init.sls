{% from 'tideline/component.jinja' import component with context -%}
{{ component('kube-controller-manager') }}
