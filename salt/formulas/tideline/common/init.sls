# What concerns the whole machine: packages, users, disks, kernel.
{% from 'tideline/map.jinja' import tideline with context -%}
{% from 'tideline/component.jinja' import component with context -%}
{%- set system = tideline['system'] -%}
{%- set files = {} -%}
{%- for part in tideline['components'] if part['name'] == 'common' -%}{%- do files.update(part['files']) -%}{%- endfor -%}
{%- set modules = '/etc/modules-load.d/tideline.conf' -%}
{%- set sysctl = '/etc/sysctl.d/90-tideline.conf' -%}
{{ component('common') }}
{%- set held = system.get('held', {}) %}
{%- set free = system['packages'] | reject('in', held) | list %}

{%- if free %}

common packages:
  pkg.installed:
    - pkgs: {{ free | json }}
{%- endif %}

{%- for package, version in held | dictsort(true) %}

{{ ('common package ' ~ package) | json }}:
  pkg.installed:
    - name: {{ package | json }}
    - version: {{ version | json }}
    - hold: true
    - update_holds: true
{%- endfor %}

{%- for name, user in system['users'] | dictsort(true) %}

{{ ('common group ' ~ name) | json }}:
  group.present:
    - name: {{ name | json }}
    - system: true

{{ ('common user ' ~ name) | json }}:
  user.present:
    - name: {{ name | json }}
    - gid: {{ name | json }}
    - home: {{ user['home'] | json }}
    - createhome: false
    - shell: /usr/sbin/nologin
    - system: true
    - require:
      - group: {{ ('common group ' ~ name) | json }}
{%- endfor %}

{%- for point, mount in system['mounts'] | dictsort(true) %}

# A disk that holds anything at all is left alone: then the mount below fails and a person decides.
{{ ('common filesystem ' ~ point) | json }}:
  cmd.run:
    - name: {{ ('mkfs.' ~ mount['filesystem'] ~ ' ' ~ mount['device'] | quote) | json }}
    - unless: {{ ('blkid --probe ' ~ mount['device'] | quote) | json }}

{{ ('common mount ' ~ point) | json }}:
  mount.mounted:
    - name: {{ point | json }}
    - device: {{ mount['device'] | json }}
    - fstype: {{ mount['filesystem'] | json }}
    - mkmnt: true
    - persist: true
    - require:
      - cmd: {{ ('common filesystem ' ~ point) | json }}
{%- endfor %}

{%- if system['hosts'] %}

common hosts:
  file.blockreplace:
    - name: /etc/hosts
    - marker_start: '# tideline: begin'
    - marker_end: '# tideline: end'
    - source: salt://tideline/hosts.jinja
    - template: jinja
    - append_if_not_found: true
    - backup: false
{%- endif %}

{%- if system['modules'] and modules in files %}

# In a container the kernel is not ours to extend.
common modules:
  cmd.run:
    - name: /lib/systemd/systemd-modules-load {{ modules }}
    - unless: systemd-detect-virt --container --quiet
    - onchanges:
      - file: {{ ('common file ' ~ modules) | json }}
{%- endif %}

{%- if system['sysctl'] and sysctl in files %}

common sysctl:
  cmd.run:
    - name: /lib/systemd/systemd-sysctl {{ sysctl }}
    - onchanges:
      - file: {{ ('common file ' ~ sysctl) | json }}
{%- endif %}
